"""From a new run or a drawn day to a scheduled survey and its mails."""
