-- DELETE and COPY in one transaction: the simplest safe way.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM master.drug_interaction;
DELETE FROM master.drug;
DELETE FROM master.postal_code;
DELETE FROM master.disease;
DELETE FROM master.ingredient;
\copy master.ingredient FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.ingredient TO STDOUT"'
\copy master.disease FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.disease TO STDOUT"'
\copy master.postal_code FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.postal_code TO STDOUT"'
\copy master.drug FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.drug TO STDOUT"'
\copy master.drug_interaction FROM PROGRAM 'psql -X -q "$SOURCE" -c "COPY master.drug_interaction TO STDOUT"'
COMMIT;
