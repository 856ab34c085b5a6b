package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A table is found by the names that people type. */
class DataSetTest {
    private static final DataSet DATA_SET = new DataSet("master", "clinic-1", List.of(table("master.drug"),
            table("\"Order Desk\".\"lineItem\""), table("\"a.b\".c"), table("a.\"b.c\""), table("m.\"Disease\""), table("m.disease")));

    private static Table table(String name) {
        return new Table(name, List.of("id"), List.of("id"), Optional.empty());
    }

    private static void found(String expected, String name) {
        assertEquals(Optional.of(expected), DATA_SET.table(name).map(Table::name), name);
    }

    @Test
    void aTableIsFoundAsInSqlOrWithoutQuotes() {
        found("master.drug", "master.drug");
        found("master.drug", "\"master\".\"drug\"");
        found("\"Order Desk\".\"lineItem\"", "\"Order Desk\".\"lineItem\"");
        found("\"Order Desk\".\"lineItem\"", "Order Desk.lineItem");
        found("m.\"Disease\"", "m.Disease");
        found("m.disease", "m.disease");
        found("a.\"b.c\"", "a.\"b.c\"");
    }

    @Test
    void whatMayBeTwoTablesIsNone() {
        assertEquals(Optional.empty(), DATA_SET.table("a.b.c"));
        assertEquals(Optional.empty(), DATA_SET.table("drug"));
        assertEquals(Optional.empty(), DATA_SET.table("Master.Drug"));
        assertEquals(Optional.empty(), DATA_SET.table(""));
    }

    @Test
    void theNearestNameIsProposed() {
        assertEquals(Optional.of("master.drug"), DATA_SET.nearestTable("Master.Drug"));
        assertEquals(Optional.of("master.drug"), DATA_SET.nearestTable("master.drugs"));
        assertEquals(Optional.of("\"Order Desk\".\"lineItem\""), DATA_SET.nearestTable("order desk.lineitem"));
        assertEquals(Optional.empty(), DATA_SET.nearestTable("tenant.patient"));
    }
}
