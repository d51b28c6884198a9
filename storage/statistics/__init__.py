"""What the quality reports stand on: pure functions over arrays; no SQL, file, clock or drawing."""
