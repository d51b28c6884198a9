"""How the tables of the audit store came to be; storage/migrate.py runs them."""
