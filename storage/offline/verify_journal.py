"""Verify a journal of line-monitor without line-monitor: this one file, Python's standard library, `cryptography`.

    python -I verify_journal.py FOLDER [--checkpoints DIR] [--key FILE.pub] [--json]

FOLDER is a station's state folder, or any folder with its 000001.sqlite …, archive/, checkpoints.signed, keys.signed.
DIR is the second place of the checkpoints; FILE.pub the station's first public key, got by another way. It only reads.
Exit: 0 no fault, 1 a fault, 2 usage, 3 no fault but, without `cryptography`, no signature checked.

Row:         hash = SHA-256(hash before ‖ JSON [seq, kind, frame, slot, outcome, reason, body]); before row 1 come 32
             zero bytes; the JSON has no spaces, is UTF-8, and escapes only where JSON must.
Signed line: JSON, a space, the hex of Ed25519(purpose ‖ line feed ‖ the JSON's bytes).
Key id:      the first 16 hex digits of SHA-256(public key, 32 bytes).
"""

import argparse
import base64
import hashlib
import json
import lzma
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HAS_LIBRARY = find_spec("cryptography") is not None
CHECKPOINT, KEY = b"line-monitor checkpoint 1\n", b"line-monitor key 1\n"
ED25519_DER = bytes.fromhex("302a300506032b6570032100")  # before the 32 bytes of a public key, RFC 8410
COLUMNS = "seq, kind, frame, slot, outcome, reason, body, hash"
PICTURES = ("frame", "crop", "mask")
SET_ASIDE = r'^alarm .*"set_aside":\{"folder":"[^"]+","last_seq":%d,'  # within a text its quotes are escaped
UNREADABLE = (sqlite3.Error, OSError, EOFError, lzma.LZMAError, ValueError, KeyError, TypeError)
NO_LIBRARY = "signatures are NOT checked: `cryptography` is missing (python -m pip install cryptography)"


class Place:
    """Signed lines in one place; `checkpoints` are those that a key of the station signed."""

    def __init__(self, store: str, checkpoints: Path, keys: Path) -> None:
        self.store, files = store, (keys / "keys.signed", checkpoints / "checkpoints.signed")
        self.keys, self.lines = (at.read_bytes().split(b"\n")[:-1] if at.is_file() else [] for at in files)
        self.checkpoints: list[dict[str, Any]] = []


class Verifier:
    """Takes down what it finds."""

    def __init__(self) -> None:
        self.faults: list[dict[str, str]] = []
        self.checked: dict[str, int] = {"rows": 0}
        self.notes: list[str] = []
        self.named: dict[str, list[tuple[int, int, int]]] = {}  # picture → row, slot, time of each verdict with it
        self.holds: dict[str, tuple[int | None, int, int]] = {}  # in force: slot, or from when to when
        self.attached: set[str] = set()  # pictures that lie in the journal still
        self.lost: list[tuple[int, int]] = []  # the rows before and behind each part found damaged, and set aside

    def fault(self, word: str, store: str, found: str, expected: str) -> None:
        self.faults.append({"fault": word, "store": store, "found": found, "expected": expected})

    def verify(self, folder: Path, elsewhere: Path | None, trusted: bytes | None) -> None:  # first what may lag behind
        copy = None if elsewhere is None else self.place("copy", elsewhere, elsewhere, trusted)
        beside = self.place("checkpoints", _in(folder, "journal"), _in(folder, "keys"), trusted)
        places = [beside] if copy is None or copy.lines == beside.lines[: len(copy.lines)] else [beside, copy]
        hashes = self.rows(folder, {said["size"] for place in places for said in place.checkpoints})
        if beside.keys and not beside.lines:
            self.fault("checkpoint_missing", "checkpoints", "no checkpoint", "the first, made together with the key")
        for place in places if hashes is not None else []:
            self.against_journal(place, hashes or {})
        if copy is not None:
            self.against_copy(beside, copy)
        self.checked["checkpoints"] = len(beside.checkpoints)
        rows, signed = self.checked["rows"], max((said["size"] for said in beside.checkpoints), default=0)
        notes = {
            "no second place: a journal put back together with its checkpoints would not be seen": copy is None,
            "the first key is taken at its word: give --key to hold it against one you trust": trusted is None,
            NO_LIBRARY: not HAS_LIBRARY,
            "no checkpoint: rows missing at the end would not be seen": not beside.checkpoints,
            f"rows {signed + 1} to {rows} are chained, and not signed": 0 < signed < rows,
        }
        self.notes = [note for note, applies in notes.items() if applies]

    def rows(self, folder: Path, wanted: set[int]) -> dict[int, str] | None:
        """Walks the chain, then the pictures it names; size → hash, of the sizes asked for. None: it is unreadable."""
        images, hashes, after, before = folder / "images", {0: bytes(32).hex()}, 0, bytes(32)
        keeping = {"verdict", "purge", "person"} if images.is_dir() else set()
        try:
            for path in self.files(_in(folder, "journal")):
                with closing(_open(path)) as journal:
                    for row in journal.execute(f"SELECT {COLUMNS} FROM journal ORDER BY seq"):  # noqa: S608
                        seq, stated = row[0], row[7] if isinstance(row[7], bytes) else b""
                        if seq != after + 1:
                            gap = [(after, seq)] if re.search(SET_ASIDE % after, f"{row[1]} {row[6]}") else []
                            self.lost += gap
                            word = "journal_set_aside" if gap else "seq_hole"
                            self.fault(word, "journal", f"row {seq}", f"row {after + 1}")
                        if stated != (expected := row_hash(before, row[:7])):
                            found, right = stated.hex() or "none", expected.hex() if expected else "none"
                            self.fault("hash_broken", "journal", f"row {seq}: {found}", right)
                        after, before = seq, stated
                        if seq in wanted:
                            hashes[seq] = stated.hex()
                        if row[1] in keeping:
                            self.keeping(seq, row[1], row[3], row[6])
                    self.attached |= {sha for (sha,) in journal.execute("SELECT sha256 FROM attachment")}
        except UNREADABLE as error:
            self.fault("journal_unreadable", "journal", f"behind row {after}: {error}", "a sound file")
            self.checked["rows"] = after
            return None
        self.checked |= {"rows": after, "pictures": len(self.named)}
        self.pictures(images)
        return hashes

    def files(self, journal: Path) -> Iterator[Path]:
        """Each file of the journal; an archived one is unpacked, and gone when the next is asked for."""
        found = {path.stem: path for path in [*journal.glob("archive/[0-9]*.json"), *journal.glob("[0-9]*.sqlite")]}
        if not found:
            self.fault("journal_unreadable", "journal", f"no file 000001.sqlite in {journal}", "a journal")
        for _, path in sorted(found.items()):
            if path.suffix == ".sqlite":
                yield path
                continue
            most = json.loads(path.read_bytes())["plain_bytes"]  # whether it is the right file, the chain says
            with tempfile.NamedTemporaryFile(buffering=0) as plain, lzma.open(path.with_suffix(".sqlite.xz")) as packed:
                while plain.tell() < most and plain.write(packed.read(1 << 20)):
                    pass
                yield Path(plain.name)

    def keeping(self, seq: int, kind: str, slot: int, body: str) -> None:
        """Takes down which pictures a row names, purges or puts a hold on."""
        try:
            said = json.loads(body)
            if kind == "verdict":
                for sha in {each.get(f"{what}_sha256") for each in (said, *said["regions"]) for what in PICTURES}:
                    if isinstance(sha, str) and re.fullmatch("[0-9a-f]{64}", sha):
                        self.named.setdefault(sha, []).append((seq, slot, said["captured_at"]))
            elif kind == "purge":
                for sha in said["pictures"]:
                    if self.is_held(self.named.pop(sha, [])):
                        self.fault("purged_while_held", "journal", f"row {seq} purges {sha}", "kept by a legal hold")
            elif hold := said.get("hold"):
                placed = {hold["id"]: (hold["slot"], hold["since"] or 0, hold["until"] or sys.maxsize)}
                others = {key: other for key, other in self.holds.items() if key != hold["id"]}
                self.holds = others | (placed if said["what"] == "retention.hold" else {})
        except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
            self.fault("row_unreadable", "journal", f"row {seq}: its body is no {kind}'s", "JSON")

    def is_held(self, namings: list[tuple[int, int, int]]) -> bool:
        held = [(naming, hold) for naming in namings for hold in self.holds.values()]
        return any(since <= at < until if of is None else of == slot for (_, slot, at), (of, since, until) in held)

    def pictures(self, images: Path) -> None:
        """Those that are named, and not purged since, are there whole."""
        for sha, namings in self.named.items():
            path, by = images / sha[:2] / f"{sha}.png", f"named by row {namings[0][0]}"
            if path.is_file():
                if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != sha:
                    self.fault("image_corrupt", "images", f"{found}, {by}", sha)
            elif sha not in self.attached:
                self.fault("image_missing", "images", "nothing", f"{sha}, {by}, and purged by none")

    def place(self, store: str, checkpoints: Path, keys: Path, trusted: bytes | None) -> Place:
        place = Place(store, checkpoints, keys)
        if place.lines and not place.keys:
            self.fault("key_foreign", store, "no public key", "keys.signed")
        self.checkpoints(place, self.keys(place, trusted))
        return place

    def keys(self, place: Place, trusted: bytes | None) -> list[dict[str, Any]]:
        """The keys in order, as far as each is signed for by the one before."""
        ring: list[dict[str, Any]] = []
        for number, line in enumerate(place.keys, start=1):
            try:
                statement, signature, said = _split(line)
                public = bytes.fromhex(said["public"])
                voucher = ring[-1] if ring else said
                ours = number, voucher["key"], (ring or [said])[0]["station"], hashlib.sha256(public).hexdigest()[:16]
                same = (said["number"], said["by"], said["station"], said["key"]) == ours
                signed = _signed(bytes.fromhex(voucher["public"]), KEY + statement, signature)
                if not (isinstance(said["old_until"], int) and same and signed and (ring or trusted in (None, public))):
                    raise ValueError("nobody it may trust vouches for it")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                self.fault("key_foreign", place.store, f"key {number}: {error}", "a key signed by the one before")
                break
            ring.append(said)
        return ring

    def checkpoints(self, place: Place, ring: list[dict[str, Any]]) -> None:
        by_id = {key["key"]: key for key in ring}
        until = {key["by"]: key["old_until"] for key in ring[1:]}
        number, before, size, newest = 0, "0" * 64, 0, 0
        for position, line in enumerate(place.lines, start=1):
            store, at = place.store, f"checkpoint {position}"
            number, before, named = number + 1, hashlib.sha256(line).hexdigest(), before
            try:
                statement, signature, said = _split(line)
                facts = [said[name] for name in ("size", "number", "at", "head", "before", "station", "key")]
                if [type(fact) for fact in facts] != [int] * 3 + [str] * 4:
                    raise ValueError("not of this form")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                self.fault("checkpoint_unreadable", store, f"{at}: {error}", "a signed line")
                continue
            key = by_id.get(said["key"])
            if key is None or key["station"] != said["station"]:
                self.fault("key_foreign", store, f"{at}: by key {said['key']}", f"one of {list(by_id)}")
            elif not _signed(bytes.fromhex(key["public"]), CHECKPOINT + statement, signature):
                self.fault("checkpoint_forged", store, at, f"the signature of key {said['key']}")
            elif key["number"] < newest or said["at"] > until.get(key["key"], said["at"]):
                self.fault("key_retired", store, f"{at}: by key {key['key']}", "the key that followed it")
            else:
                newest = key["number"]
                if (said["number"], said["before"]) != (number, named) or said["size"] < size:
                    found = f"{at}: says it is number {said['number']}, of {said['size']} rows"
                    self.fault("checkpoint_missing", store, found, f"number {number}, of {size} rows or more")
                    number = said["number"]
                size = said["size"]
                place.checkpoints.append(said)

    def against_journal(self, place: Place, hashes: dict[int, str]) -> None:
        """Where the journal first ceases to be what was signed."""
        good, rows = 0, self.checked["rows"]
        for said in place.checkpoints:
            size, signed = said["size"], f"signed as checkpoint {said['number']}"
            if size > rows:
                self.fault("journal_cut", place.store, f"{rows} rows", f"{size} rows, {signed}")
                return
            if hashes.get(size) != said["head"] and not any(last < size < seq for last, seq in self.lost):
                found = f"another hash at row {size}: a row from {good + 1} to {size} was replaced"
                self.fault("history_rewritten", place.store, found, f"{said['head']}, {signed}")
                return
            good = size

    def against_copy(self, beside: Place, copy: Place) -> None:
        if _differ(beside.keys, copy.keys):
            self.fault("key_foreign", "checkpoints", "keys other than in the second place", "the same keys")
        if at := _differ(beside.lines, copy.lines):
            self.fault("checkpoint_differs", "checkpoints", f"checkpoint {at}", "the same in both places")
        elif len(copy.lines) > len(beside.lines):
            self.fault("checkpoint_missing", "checkpoints", f"{len(beside.lines)}", f"{len(copy.lines)}, as elsewhere")


def row_hash(before: bytes, cells: tuple[object, ...]) -> bytes | None:
    """SHA-256 over the hash before and the row; None where no row of ours has such cells."""
    if any(not isinstance(cell, int | str | None) for cell in cells):
        return None
    text = json.dumps(list(cells), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(before + text.encode("utf-8", "surrogateescape")).digest()


def _open(path: Path) -> sqlite3.Connection:
    lasting = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"  # else nothing is made beside it
    journal = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{lasting}", uri=True)
    journal.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    return journal


def _in(folder: Path, name: str) -> Path:
    return folder / name if (folder / name).is_dir() else folder


def _split(line: bytes) -> tuple[bytes, bytes, dict[str, Any]]:
    statement, _, signature = line.rpartition(b" ")
    return statement, bytes.fromhex(signature.decode("ascii")), dict(json.loads(statement))


def _signed(public: bytes, signed: bytes, signature: bytes) -> bool:
    if not HAS_LIBRARY:
        return True  # said once, in the notes, and by the exit code
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    with suppress(InvalidSignature, ValueError):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
        return True
    return False


def _differ(ours: list[bytes], theirs: list[bytes]) -> int:
    """The number of the first line that is not the same; 0 for none."""
    return next((at for at, (one, other) in enumerate(zip(ours, theirs, strict=False), 1) if one != other), 0)


def public_key(file: str) -> bytes:
    """The 32 bytes of a PEM file; ValueError where it is none."""
    lines = Path(file).read_text().splitlines() if Path(file).is_file() else []
    der = base64.b64decode("".join(lines[1:-1]), validate=True)
    if len(der) == 44 and der.startswith(ED25519_DER):
        return der[12:]
    raise ValueError("is no Ed25519 public key in PEM")


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify a journal of line-monitor, without line-monitor.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="the second place of the checkpoints")
    parser.add_argument("--key", type=public_key, metavar="FILE.pub", help="the station's first public key, as known")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if missing := [str(at) for at in (given.folder, given.checkpoints) if at and not at.is_dir()]:
        parser.error(f"no such folder: {', '.join(missing)}")
    verifier = Verifier()
    elsewhere = _in(given.checkpoints, given.folder.resolve().name) if given.checkpoints else None
    verifier.verify(given.folder, elsewhere, given.key)
    said = {"checked": verifier.checked, "notes": verifier.notes, "rows": verifier.faults}
    text = [f"{f['fault']} ({f['store']}): found {f['found']}; expected {f['expected']}" for f in verifier.faults]
    text += [f"note: {note}" for note in verifier.notes] + [f"{len(text)} faults; checked: {verifier.checked}"]
    print(json.dumps({"ok": not verifier.faults} | said) if given.json else "\n".join(text))
    return 1 if verifier.faults else (0 if HAS_LIBRARY else 3)


if __name__ == "__main__":
    sys.exit(main())
