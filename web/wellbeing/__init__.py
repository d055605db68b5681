"""The optional five questions every four weeks."""
