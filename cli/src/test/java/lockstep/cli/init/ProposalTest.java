package lockstep.cli.init;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import lockstep.cli.init.Proposal.Choice;
import lockstep.cli.init.Source.Column;
import org.junit.jupiter.api.Test;

class ProposalTest {
    @Test
    void findsMasterDataInAPublicSampleSchema() throws Exception {
        try (var connection = database("chinook")) {
            Chinook.load(connection);
            var proposal = proposal(connection);
            assertEquals(List.of("chinook.\"Album\"", "chinook.\"Artist\"", "chinook.\"Genre\"", "chinook.\"MediaType\"",
                    "chinook.\"Playlist\"", "chinook.\"PlaylistTrack\"", "chinook.\"Track\""), names(proposal));
            assertEquals(Map.of("chinook.\"Customer\"", "its name says that it has persons, what they do, or records",
                    "chinook.\"Employee\"", "its name says that it has persons, what they do, or records",
                    "chinook.\"Invoice\"", "its name says that it has persons, what they do, or records",
                    "chinook.\"InvoiceLine\"", "its column InvoiceId refers to chinook.\"Invoice\", which is not proposed"),
                    reasons(proposal));
            assertEquals(3503, choice(proposal, "Track").table().rows());
            assertEquals(0, choice(proposal, "Track").writesPerDay());
            assertEquals(List.of("InvoiceLine", "PlaylistTrack"),
                    choice(proposal, "Track").referredBy().stream().map(Source.Table::name).toList());
            assertEquals(List.of("PlaylistId", "TrackId"), choice(proposal, "PlaylistTrack").table().key());
            assertSameTables(connection, proposal, "chinook_local");
        }
    }

    @Test
    void leavesOutWhatIsPersonalOrCannotBeCopied() throws Exception {
        try (var connection = database("shop")) {
            execute(connection, """
                    CREATE SCHEMA "Order Desk";
                    CREATE EXTENSION citext SCHEMA "Order Desk";
                    CREATE TYPE size AS ENUM ('small', 'it''s large');
                    CREATE DOMAIN positive AS numeric(10, 2) CONSTRAINT above_zero CHECK (VALUE > 0);
                    CREATE TYPE pair AS (a int, b int);
                    CREATE TABLE "Order Desk"."kindOf" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                        code "Order Desk".citext NOT NULL UNIQUE,
                        "maxSize" size[], price positive NOT NULL, double numeric GENERATED ALWAYS AS (id * 2) STORED, couple pair,
                        "contactName" text, "supplierEMail" text, remark text, seen_from inet, source_row oid,
                        "password" text NOT NULL DEFAULT '',
                        ship_to text, address_id int);
                    INSERT INTO "Order Desk"."kindOf" (code, price, remark) VALUES ('a', 1, 'ask ann@shop.example'), ('b', 2, 'call us');
                    CREATE TABLE item (kind int NOT NULL REFERENCES "Order Desk"."kindOf", made date, stock_id int,
                        PRIMARY KEY (kind, made)) PARTITION BY RANGE (made);
                    CREATE TABLE item_2026 PARTITION OF item FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
                    CREATE TABLE stock (id int PRIMARY KEY, place text);
                    ALTER TABLE item ADD FOREIGN KEY (stock_id) REFERENCES stock;
                    CREATE TABLE reading (id int PRIMARY KEY, stock int REFERENCES stock, value int);
                    INSERT INTO stock SELECT i FROM generate_series(1, 10) i;
                    UPDATE stock SET place = 'here'; UPDATE stock SET place = 'there';
                    UPDATE stock SET place = i::text FROM generate_series(1, 50) i;
                    DO 'BEGIN FOR i IN 1..50 LOOP UPDATE stock SET place = i; END LOOP; END';
                    CREATE TABLE author (id int PRIMARY KEY, last_name text NOT NULL);
                    CREATE TABLE book (id int PRIMARY KEY, author int NOT NULL REFERENCES author);
                    CREATE TABLE shelf (id int PRIMARY KEY, book int NOT NULL REFERENCES book);
                    CREATE TABLE keyless (kind int REFERENCES "Order Desk"."kindOf");
                    CREATE TABLE alone (id int PRIMARY KEY, name text);
                    CREATE TABLE hidden (id int PRIMARY KEY, kind int REFERENCES "Order Desk"."kindOf");
                    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
                    CREATE VIEW kinds AS SELECT id FROM "Order Desk"."kindOf";
                    CREATE SCHEMA lockstep;
                    CREATE TABLE lockstep.applied (id int PRIMARY KEY);
                    CREATE TABLE base (id int PRIMARY KEY);
                    CREATE TABLE derived () INHERITS (base);
                    ANALYZE""");
            var proposal = proposal(connection);
            assertEquals(List.of("\"Order Desk\".\"kindOf\"", "public.item"), names(proposal));
            assertEquals(Map.of("double", "is generated", "couple", "its type public.pair is not a simple one", "contactName",
                    "looks personal",
                    "supplierEMail", "looks personal", "remark", "has email addresses", "seen_from", "has network addresses", "source_row",
                    "its type oid means something in this database only", "password", "looks personal", "address_id", "looks personal"),
                    choice(proposal, "kindOf").leftOut());
            assertEquals(Map.of("stock_id", "refers to public.stock, which is not in the data set"), choice(proposal, "item").leftOut());
            assertEquals(
                    Map.of("public.stock", "530 rows are written a day", "public.reading", "no other table refers to it", "public.author",
                            "its column last_name, which it can't do without, looks personal", "public.book",
                            "its column author refers to public.author, which is not proposed", "public.shelf",
                            "its column book refers to public.book, which is not proposed", "public.keyless", "it has no primary key",
                            "public.alone",
                            "no other table refers to it", "public.hidden", "row-level security may hide rows"),
                    reasons(proposal));
            assertSameTables(connection, proposal, "shop_local");
        }
    }

    @Test
    void writesNothing() throws Exception {
        try (var connection = database("unchanged")) {
            Source.read(connection);
            var refused = assertThrows(SQLException.class, () -> connection.createStatement().execute("CREATE TABLE public.t ()"));
            assertEquals("25006", refused.getSQLState());
        }
    }

    /** The schema must make tables of which an init proposes the same again. */
    private static void assertSameTables(Connection source, Proposal proposal, String name) throws IOException, SQLException {
        try (var copy = database(name)) {
            // as the local cloud does, whose administrator owns the database but is no superuser
            execute(copy, "CREATE ROLE %1$s_admin; ALTER DATABASE %1$s OWNER TO %1$s_admin; SET ROLE %1$s_admin".formatted(name));
            execute(copy, LandscapeText.schema(proposal));
            var copied = Source.read(copy).tables().stream().collect(Collectors.toMap(table -> table.fullName().toString(), t -> t));
            assertEquals(names(proposal), copied.keySet().stream().sorted().toList());
            for (Choice choice : proposal.chosen()) {
                var table = copied.get(choice.table().fullName().toString());
                assertEquals(choice.columns().stream().map(ProposalTest::described).toList(),
                        table.columns().stream().map(ProposalTest::described).toList());
                assertEquals(choice.table().key(), table.key());
            }
            assertFalse(copied.values().stream().allMatch(table -> table.references().isEmpty()));
        }
    }

    private static String described(Column column) {
        return column.name() + " " + column.type() + " " + column.notNull() + " " + column.creates();
    }

    private static Proposal proposal(Connection connection) throws SQLException {
        execute(connection, "SELECT pg_stat_force_next_flush()");
        var source = Source.read(connection);
        assertTrue(source.days() >= 1);
        return Proposal.of(source, table -> Source.emails(connection, table));
    }

    private static List<String> names(Proposal proposal) {
        return proposal.chosen().stream().map(choice -> choice.table().fullName().toString()).toList();
    }

    private static Map<String, String> reasons(Proposal proposal) {
        return proposal.rejected().entrySet().stream()
                .collect(Collectors.toMap(e -> e.getKey().fullName().toString(), Map.Entry::getValue));
    }

    private static Choice choice(Proposal proposal, String table) {
        return proposal.chosen().stream().filter(choice -> choice.table().name().equals(table)).findFirst().orElseThrow();
    }

    private static Connection database(String name) throws IOException, SQLException {
        try (var admin = Chinook.server().getPostgresDatabase().getConnection()) {
            execute(admin, "CREATE DATABASE " + name);
        }
        return DriverManager.getConnection(Chinook.server().getJdbcUrl("postgres", name));
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
