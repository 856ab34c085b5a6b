package lockstep.masterdata.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests which columns of the new row a trigger function assigns, according to its source. */
class TriggerSourceTest {
    @ParameterizedTest
    @ValueSource(strings = {
            "BEGIN NEW.updated_at := now(); RETURN NEW; END",
            "begin new.updated_at = current_timestamp; return new; end",
            "BEGIN\n  -- set the time\n  NEW . \"updated_at\" := clock_timestamp();\n  RETURN NEW;\nEND;",
            "BEGIN SELECT now() INTO NEW.updated_at; RETURN NEW; END",
            "BEGIN SELECT clock_timestamp() INTO STRICT NEW.updated_at FROM other WHERE id = 1; RETURN NEW; END",
            "BEGIN IF TG_OP = 'UPDATE' THEN NEW.updated_at := now(); END IF; RETURN NEW; END",
            "BEGIN IF NEW IS DISTINCT FROM OLD THEN NEW.updated_at := now(); END IF; RETURN NEW; END",
            "BEGIN IF (TG_OP IN ('INSERT', 'UPDATE')) THEN NEW.updated_at = 'now'; END IF; RETURN NEW; END",
            "BEGIN IF NEW.a = 1 THEN PERFORM f(); END IF; NEW.updated_at := now(); RETURN NEW; END",
            "DECLARE x int := 1; BEGIN /* NEW.a := 1; */ NEW.updated_at := OLD.updated_at; RETURN NEW; END"})
    void timestampsAreCertain(String source) {
        assertEquals(Map.of("updated_at", true), TriggerSource.assigned(source));
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "BEGIN NEW.code := upper(NEW.code); RETURN NEW; END",
            "BEGIN IF NEW.code IS NULL THEN NEW.code := gen_random_uuid(); END IF; RETURN NEW; END",
            "BEGIN IF NEW.code = '' THEN NULL; ELSIF NEW.x > 1 THEN NEW.code = now(); END IF; RETURN NEW; END",
            "BEGIN NEW.code := CASE WHEN NEW.a = 1 THEN 'x' ELSE 'y' END; RETURN NEW; END",
            "BEGIN NEW.code[1] := 1; RETURN NEW; END"})
    void othersAreNot(String source) {
        assertEquals(Map.of("code", false), TriggerSource.assigned(source));
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "BEGIN RETURN NEW; END",
            "BEGIN IF NEW.updated_at = now() THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END",
            "BEGIN -- NEW.updated_at := now();\n RETURN NEW; END",
            "BEGIN /* a /* nested */ ; NEW.updated_at := now(); */ RETURN NEW; END",
            "BEGIN EXECUTE '; NEW.updated_at := now();'; RETURN NEW; END",
            "BEGIN EXECUTE $x$; NEW.updated_at := now();$x$; RETURN NEW; END",
            "BEGIN INSERT INTO audit VALUES (NEW.id, now()); RETURN NEW; END",
            "DECLARE b boolean; BEGIN b := CASE WHEN NEW.a THEN NEW.updated_at = 1 ELSE NEW.b = 2 END; RETURN NEW; END",
            "BEGIN renew.updated_at := now(); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END",
            "BEGIN SELECT x INTO OLD.updated_at FROM y; RETURN (NEW); END"})
    void whatIsNoAssignmentIsNone(String source) {
        assertEquals(Map.of(), TriggerSource.assigned(source));
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "BEGIN NEW := json_populate_record(NEW, '{\"a\": 1}'); RETURN NEW; END",
            "BEGIN NEW = NEW #= hstore('a', '1'); RETURN NEW; END",
            "BEGIN SELECT * INTO NEW FROM other; RETURN NEW; END",
            "BEGIN RETURN NEW #= hstore('updated_at', now()::text); END",
            "BEGIN RETURN jsonb_populate_record(NEW, x); END"})
    void theWholeRow(String source) {
        assertEquals(Map.of(TriggerSource.ROW, false), TriggerSource.assigned(source));
    }

    @Test
    void severalColumnsAndQuotedNames() {
        assertEquals(Map.of("updatedAt", true, "a", false, "b", true),
                TriggerSource
                        .assigned("BEGIN NEW.\"updatedAt\" := now(); NEW.A := 1; SELECT 1, now() INTO NEW.b, x FROM y; RETURN NEW; END"));
    }

    @Test
    void rowsMayBeDropped() {
        assertTrue(TriggerSource.mayDropRows("BEGIN IF NEW.x THEN RETURN NULL; END IF; RETURN NEW; END"));
        assertFalse(TriggerSource.mayDropRows("BEGIN RETURN NEW; -- RETURN NULL\nEND"));
    }

    @Test
    void conditionsThatHoldForEveryRowThatDiffers() {
        assertTrue(TriggerSource.isAlways("(old.* IS DISTINCT FROM new.*)"));
        assertFalse(TriggerSource.isAlways("(old.name IS DISTINCT FROM new.name)"));
    }
}
