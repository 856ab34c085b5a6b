package lockstep.masterdata.engine;

import java.util.List;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.Sql;

/** A small product: drugs, interactions that refer to them twice, and visitors' prescriptions that refer to drugs. */
final class TestingProduct {
    static final DataSet DATA_SET = new DataSet("master", "clinic-1", List.of(
            new Table("m.interaction", List.of("id", "a", "b", "note"), List.of("id"), Optional.empty()),
            new Table("m.drug", List.of("id", "code", "name", "price", "facts", "tags"), List.of("id"), Optional.empty()),
            new Table("m.postal", List.of("code", "seq", "town"), List.of("code", "seq"), Optional.of("town <> 'local'"))));

    private TestingProduct() {}

    /** Returns a database with the product's tables and Lockstep's own. */
    static TestingDatabase database() {
        return tables(TestingServer.database());
    }

    static TestingDatabase tables(TestingDatabase database) {
        database.execute("CREATE SCHEMA m", """
                CREATE TABLE m.drug (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, name text,
                  price numeric, facts jsonb, tags text[], secret text)""",
                """
                CREATE TABLE m.interaction (id bigserial PRIMARY KEY, a bigint NOT NULL REFERENCES m.drug, b bigint REFERENCES m.drug, \
                note text)""",
                "CREATE TABLE m.postal (code text, seq smallint, town text, PRIMARY KEY (code, seq))",
                "CREATE TABLE m.prescription (id bigserial PRIMARY KEY, drug bigint REFERENCES m.drug, text text)",
                Sql.named("state"));
        return database;
    }

    /** Returns a source with some hundred rows. */
    static TestingDatabase source() {
        return rows(database());
    }

    static TestingDatabase rows(TestingDatabase database) {
        database.execute("""
                INSERT INTO m.drug (code, name, price, facts, tags, secret)
                SELECT 'D' || i, CASE WHEN i % 7 = 0 THEN NULL ELSE '薬 ' || i END, i / 10.0, jsonb_build_object('n', i), ARRAY['t' || i], \
                'internal ' || i
                FROM generate_series(1, 500) i""",
                "INSERT INTO m.interaction (a, b, note) SELECT 1 + i % 500, CASE WHEN i % 5 > 0 THEN 1 + (i * 7) % 500 END, 'note ' || i "
                        + "FROM generate_series(1, 800) i",
                "INSERT INTO m.postal SELECT lpad((i / 2)::text, 7, '0'), i % 2, 'town ' || i FROM generate_series(1, 300) i",
                "INSERT INTO m.postal VALUES ('9999999', 1, 'local')");
        return database;
    }

    /** Returns every allowed value of every table in key order, read with SQL alone. */
    static String contents(TestingDatabase database) {
        return database.value(
                "SELECT string_agg(md5(id || '|' || coalesce(a::text, '-') || '|' || coalesce(b::text, '-') || '|' || coalesce(note, "
                        + "'-')), '' ORDER BY id) FROM m.interaction")
                + database.value("SELECT string_agg(md5(ROW(id, code, name, price, facts, tags)::text), '' ORDER BY id) FROM m.drug")
                + database.value(
                        "SELECT string_agg(md5(ROW(code, seq, town)::text), '' ORDER BY code, seq) FROM m.postal WHERE town <> 'local'");
    }
}
