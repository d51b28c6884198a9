"""The quality reports: each file one report, made of what storage/reports/page.py can say."""
