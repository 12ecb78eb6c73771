"""The log entries of a table as they lie on disk. Standard library only."""
import glob
import os


def commits(out, name):
    """(moment of visibility, log file) of every commit that adds a file: the modification time of its log entry."""
    for entry in sorted(glob.glob(f"{out}/{name}/_delta_log/*.json")):
        if os.path.basename(entry)[:-5].isdigit():
            with open(entry, encoding="utf-8") as file:
                if any(line.startswith('{"add"') for line in file):
                    yield os.path.getmtime(entry), entry
