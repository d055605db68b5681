"""The longer look every four weeks, for those who switched it on."""
