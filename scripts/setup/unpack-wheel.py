"""Unpacks chosen files of a wheel.

usage: unpack-wheel.py WHEEL DIRECTORY WORK RULES

RULES is JSON: [[pattern, prefix, into], ...]. A file that fits a pattern goes to DIRECTORY/into, its name less the prefix.
Prints `DONE TOTAL` in bytes while it works, and at last a JSON object of path: size in bytes. A file is written in WORK and moved once it is whole.
"""
import fnmatch
import json
import os
import shutil
import sys
import time
import zipfile

CHUNK = 1 << 20
REPORT_SECONDS = 0.2

wheel, directory, work, rules = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])


def target(name):
    for pattern, prefix, into in rules:
        if fnmatch.fnmatchcase(name, pattern):
            return into + name[len(prefix):]
    return None


def write(archive, entry, path, report):
    """Zip's checksum is checked by zipfile at the end of a file."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    aside = os.path.join(work, "unpack-%d" % os.getpid())
    with archive.open(entry) as source, open(aside, "wb") as out:
        while True:
            chunk = source.read(CHUNK)
            if not chunk:
                break
            out.write(chunk)
            report(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    os.chmod(aside, 0o755 if entry.external_attr >> 16 & 0o100 else 0o644)
    os.replace(aside, path)


def main():
    with zipfile.ZipFile(wheel) as archive:
        chosen = [(entry, target(entry.filename)) for entry in archive.infolist() if not entry.is_dir()]
        chosen = [(entry, path) for entry, path in chosen if path is not None]
        unused = [rule[0] for rule in rules if not any(fnmatch.fnmatchcase(entry.filename, rule[0]) for entry, _ in chosen)]
        if unused:
            sys.exit("%s has no file like %s" % (os.path.basename(wheel), ", ".join(unused)))
        total = sum(entry.file_size for entry, _ in chosen)
        free = shutil.disk_usage(directory).free
        if free < total:
            sys.exit("%d MB are needed in %s, %d MB are free" % (total // 10**6, directory, free // 10**6))
        progress = {"done": 0, "told": 0.0}

        def report(count):
            progress["done"] += count
            if time.monotonic() - progress["told"] > REPORT_SECONDS:
                progress["told"] = time.monotonic()
                print(progress["done"], total, flush=True)

        for entry, path in chosen:
            write(archive, entry, os.path.join(directory, path), report)
    print(json.dumps({path: entry.file_size for entry, path in chosen}))


main()
