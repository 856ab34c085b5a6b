package lockstep.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import lockstep.assembly.Assembly;
import lockstep.diff.Comparison.Both;
import lockstep.diff.Comparison.Found;
import lockstep.landscape.Difference;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final Difference SIGN_UP = new Difference(List.of("proxy.gateway.*", "proxy.nginx.*"), "Anyone may try the product.",
            "Sign up.");
    private static final Comparison COMPARISON = new Comparison("production", "demo", new Both("1.0.0", "1.0.0"), new Both("V2", "V3"),
            List.of(
                    new Found(Axis.features, "proxy.gateway.environment.GATEWAY_SIGN_UP", new Both("closed", "open"), List.of(),
                            new Both("p.json Resources.A", "d.json Resources.A"), SIGN_UP),
                    new Found(Axis.features, "proxy.nginx.file./opt/nginx/limits.conf", new Both("a\nb", "a\nc"),
                            List.of("@@ -1,2 +1,2 @@", " a", "-b", "+c"), new Both("p", "d"), SIGN_UP),
                    new Found(Axis.communication, "shard.Group.ingress.tcp/80", new Both(null, "0.0.0.0/0|::/0"), List.of(),
                            new Both(null, "d.json Resources.Group"), null)),
            List.of("proxy.old"));

    @Test
    void text() {
        assertEquals("""
                production → demo   release 1.0.0 on both, schema V2 → V3

                features: what a user can do and see
                  ✓ Anyone may try the product.
                    proxy.gateway.environment.GATEWAY_SIGN_UP  closed → open
                    proxy.nginx.file./opt/nginx/limits.conf
                      @@ -1,2 +1,2 @@
                       a
                      -b
                      +c

                communication: who reaches it, and what it reaches
                  ✗ not declared
                    shard.Group.ingress.tcp/80  — → 0.0.0.0/0|::/0
                      d.json Resources.Group

                3 differences: 2 declared, 1 not declared; 1 declared but no longer found.

                Make the editions equal again, or add to lockstep.yaml:
                differences:
                  - what: [shard.Group.ingress.tcp/80]
                    reason: TODO why the editions differ
                    check: TODO what QA should try

                Remove from lockstep.yaml what no longer differs:
                      - proxy.old""", TextReport.of(COMPARISON, false));
        assertTrue(TextReport.of(COMPARISON, true).contains("\033[31m✗ not declared\033[0m"));
    }

    @Test
    void markdown() {
        assertEquals("""
                # Test plan: production → demo

                Release 1.0.0 on both, schema V2 → V3. 3 differences: 2 declared, 1 not declared; 1 declared but no longer found.

                ## features: what a user can do and see

                - [ ] Sign up.

                  Reason: Anyone may try the product.

                  | what | production | demo |
                  | --- | --- | --- |
                  | `proxy.gateway.environment.GATEWAY_SIGN_UP` | `closed` | `open` |

                  `proxy.nginx.file./opt/nginx/limits.conf`
                  ```diff
                  @@ -1,2 +1,2 @@
                   a
                  -b
                  +c
                  ```

                ## communication: who reaches it, and what it reaches

                - [ ] **Not declared**: find out whether this is intended

                  | what | production | demo |
                  | --- | --- | --- |
                  | `shard.Group.ingress.tcp/80` | — | `0.0.0.0/0\\|::/0` |

                ## Declared, but no longer found

                - [ ] Remove `proxy.old` from lockstep.yaml, or find out why it is missing""", MarkdownReport.of(COMPARISON));
    }

    @Test
    void json() {
        assertEquals("""
                {"from":"production","to":"demo","release":{"from":"1.0.0","to":"1.0.0"},"schema":{"from":"V2","to":"V3"},"differences":[\
                {"axis":"features","key":"proxy.gateway.environment.GATEWAY_SIGN_UP","values":{"from":"closed","to":"open"},"change":[],\
                "sources":{"from":"p.json Resources.A","to":"d.json Resources.A"},\
                "declared":{"what":["proxy.gateway.*","proxy.nginx.*"],"reason":"Anyone may try the product.","check":"Sign up."}},\
                {"axis":"features","key":"proxy.nginx.file./opt/nginx/limits.conf","values":{"from":"a\\nb","to":"a\\nc"},"change":["@@ \
                -1,2 +1,2 @@"," a","-b","+c"],\
                "sources":{"from":"p","to":"d"},"declared":{"what":["proxy.gateway.*","proxy.nginx.*"],"reason":"Anyone may try the \
                product.","check":"Sign up."}},\
                {"axis":"communication","key":"shard.Group.ingress.tcp/80","values":{"from":null,"to":"0.0.0.0/0|::/0"},"change":[],\
                "sources":{"from":null,"to":"d.json Resources.Group"},"declared":null}],"gone":["proxy.old"]}""",
                Assembly.JSON.writeValueAsString(COMPARISON));
    }

    @Test
    void longValuesShowWhereTheyDiffer() {
        String start = "arn:aws:iam::<account>:role/".repeat(5);
        var told = TextReport.onOneLine(new Both(start + "reader", start + "writer"));
        assertTrue(told.startsWith("…") && told.contains("reader → …") && told.endsWith("writer"), told);
        assertEquals("a (and 2 more lines) → \"\"", TextReport.onOneLine(new Both("a\nb\nc", "")));
        assertEquals(List.of("1", "… 2 more lines: --output json has them all"), TextReport.hunks(List.of("1", "2", "3"), 2));
    }

    @Test
    void aComparisonIsAsDeclaredOnlyWithoutRemedies() {
        assertFalse(COMPARISON.asDeclared());
        var found = COMPARISON.differences().subList(0, 2);
        assertTrue(new Comparison("a", "b", COMPARISON.release(), COMPARISON.schema(), found, List.of()).asDeclared());
        assertFalse(new Comparison("a", "b", COMPARISON.release(), COMPARISON.schema(), found, List.of("gone")).asDeclared());
    }
}
