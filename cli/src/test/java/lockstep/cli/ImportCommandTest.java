package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lockstep.masterdata.engine.imports.TableImport.Kind;
import lockstep.masterdata.engine.imports.TableImport.Outcome;
import lockstep.masterdata.engine.imports.TableImport.Referring;
import lockstep.masterdata.engine.imports.TableImport.Rounded;
import lockstep.masterdata.engine.imports.TableImport.Sample;
import org.junit.jupiter.api.Test;

class ImportCommandTest {
    @Test
    void tellsTheDifferenceWithOldAndNewValues() {
        var before = new LinkedHashMap<String, String>();
        before.put("id", "3");
        before.put("name", null);
        var after = new LinkedHashMap<String, String>(before);
        after.put("name", "two\nlines");
        var outcome = new Outcome("m.drug", true, 1500, 1, 2, 3, 4,
                List.of(new Sample(Kind.updated, before, after), new Sample(Kind.inserted, Map.of(), Map.of("id", "")),
                        new Sample(Kind.deleted, Map.of("id", "9"), Map.of())),
                List.of(new Referring("m.prescription", List.of("drug"), 12)), 7, List.of(new Rounded(4, "price", "1.005", "1.01")));
        assertEquals(List.of("m.drug: 1,500 rows in the file", "1 inserted, 2 updated, 3 deleted, 4 kept because other rows refer to them",
                "  + id=\"\"", "  ~ id=3, name=NULL → two\\nlines", "  - id=9",
                "12 rows of m.prescription refer by drug to rows that are not in the file", "7 values are rounded or truncated",
                "  line 4, price: 1.005 → 1.01", "Nothing was changed."), ImportCommand.text(outcome).lines().toList());
    }

    @Test
    void saysWhenThereIsNothingToDo() {
        assertTrue(ImportCommand.text(new Outcome("m.drug", false, 1, 0, 0, 0, 0, List.of(), List.of(), 0, List.of()))
                .endsWith("The table equals the file."));
    }
}
