-- relations from which a role may not delete
SELECT w.relation FROM unnest(?::oid[]) AS w(relation) WHERE NOT pg_catalog.has_table_privilege(?::name, w.relation, 'DELETE') ORDER BY 1
