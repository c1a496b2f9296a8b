"""The command line ``plugin-conform``: one file for each command, imported when it is used."""
