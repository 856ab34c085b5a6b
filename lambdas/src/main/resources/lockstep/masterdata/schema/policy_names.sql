SELECT p.polrelid AS relation, p.polname AS name FROM pg_catalog.pg_policy p WHERE p.polrelid = ANY (?::oid[])
