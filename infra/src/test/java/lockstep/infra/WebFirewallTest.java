package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests how the demo's firewall treats requests, by evaluating the rules' JSON as documented by AWS (byte matches, transformations, rates
 * per address and window). AWS's managed groups can't be evaluated; only their names are checked.
 */
class WebFirewallTest {
    private static final Assembly CLINIC = Assembly.clinic();
    private static final JsonNode RULES = CLINIC.resource("demo-demo-proxy", "AWS::WAFv2::WebACL", "").property("Rules");

    private record Request(String method, String path, String address) {}

    /** Costly requests are counted separately, regardless of how they are written. */
    @ParameterizedTest
    @CsvSource({
            "GET, /, AnyRequest",
            "GET, /signup, AnyRequest",
            "POST, /signup, AnyRequest SignUp",
            "POST, /signup/, AnyRequest SignUp",
            "POST, /signup/more, AnyRequest SignUp",
            "POST, /%73ignup, AnyRequest SignUp",
            "POST, /x/../signup, AnyRequest SignUp",
            "POST, /./signup, AnyRequest SignUp",
            "POST, //signup, AnyRequest SignUp",
            "POST, /inquiry, AnyRequest Inquiry",
            "POST, /in%71uiry, AnyRequest Inquiry",
            "POST, /login, AnyRequest LogIn",
            "GET, /login, AnyRequest",
            "POST, /patients, AnyRequest",
            "POST, /x/signup, AnyRequest",
    })
    void costlyRequestsAreCountedHoweverTheyAreWritten(String method, String path, String rules) {
        var counting = new TreeSet<String>();
        RULES.forEach(rule -> {
            var rate = rule.at("/Statement/RateBasedStatement");
            if (!rate.isMissingNode() && (rate.path("ScopeDownStatement").isMissingNode()
                    || matches(rate.get("ScopeDownStatement"), new Request(method, path, "192.0.2.1"))))
                counting.add(rule.get("Name").asText());
        });
        assertEquals(rules, String.join(" ", counting));
    }

    @Test
    void nobodySignsUpInBulkAndNobodyElseIsTurnedAwayForIt() {
        assertEquals(10, letThrough("POST", "/signup", 1, 1000, 60));
        assertEquals(10, letThrough("POST", "/inquiry", 1, 1000, 60));
        assertEquals(60, letThrough("POST", "/login", 1, 1000, 60));
        assertEquals(3000, letThrough("GET", "/patients", 1, 20_000, 60));
        // 20 addresses, each within the limit
        assertEquals(200, letThrough("POST", "/signup", 20, 200, 60));
        // allowed again in the next window
        assertEquals(20, letThrough("POST", "/signup", 1, 1000, 599));
        // a fast user: one click per second
        assertEquals(300, letThrough("GET", "/patients", 1, 300, 300));
    }

    @Test
    void groupsOfAwsRefuseAndAreSeen() {
        var order = IntStream.range(0, RULES.size()).mapToObj(RULES::get).map(rule -> rule.get("Priority").asInt()).toList();
        assertEquals(order.stream().sorted().distinct().toList(), order, "priorities");
        var managed = new TreeMap<String, JsonNode>();
        RULES.forEach(rule -> {
            assertTrue(rule.at("/VisibilityConfig/CloudWatchMetricsEnabled").asBoolean(), rule::toString);
            if (rule.at("/Statement").has("ManagedRuleGroupStatement")) managed.put(rule.get("Name").asText(), rule);
        });
        assertEquals(3, managed.size());
        managed.forEach((name, rule) -> {
            assertEquals("AWS " + name, rule.at("/Statement/ManagedRuleGroupStatement/VendorName").asText() + " "
                    + rule.at("/Statement/ManagedRuleGroupStatement/Name").asText());
            // counting a whole group would turn it off
            assertTrue(rule.path("OverrideAction").has("None"), name);
            assertTrue(rule.at("/Statement/ManagedRuleGroupStatement/ExcludedRules").isMissingNode(), name);
            assertTrue(rule.at("/Statement/ManagedRuleGroupStatement/ScopeDownStatement").isMissingNode(), name);
        });
        var acl = CLINIC.resource("demo-demo-proxy", "AWS::WAFv2::WebACL", "");
        assertEquals("{\"Allow\":{}}", acl.property("DefaultAction").toString());
        assertEquals("REGIONAL", acl.property("Scope").asText());
    }

    /** The number of requests that pass, of requests spread evenly over some seconds and addresses. */
    private static int letThrough(String method, String path, int addresses, int requests, int seconds) {
        var counted = new TreeMap<String, ArrayDeque<Double>>();
        int through = 0;
        for (int i = 0; i < requests; i++) {
            double now = (double) i * seconds / requests;
            var request = new Request(method, path, "192.0.2." + i % addresses);
            boolean refused = false;
            for (var rule : RULES) {
                var rate = rule.at("/Statement/RateBasedStatement");
                if (rate.isMissingNode() || rate.has("ScopeDownStatement") && !matches(rate.get("ScopeDownStatement"), request)) continue;
                assertEquals("IP", rate.get("AggregateKeyType").asText());
                var window = counted.computeIfAbsent(rule.get("Name").asText() + " " + request.address(), _ -> new ArrayDeque<>());
                while (!window.isEmpty() && window.peekFirst() <= now - rate.get("EvaluationWindowSec").asInt()) window.removeFirst();
                // blocked requests are not counted here, which keeps the calculation simple; AWS counts them too, and so blocks more
                if (window.size() >= rate.get("Limit").asInt()) {
                    assertEquals(429, rule.at("/Action/Block/CustomResponse/ResponseCode").asInt());
                    refused = true;
                } else {
                    window.addLast(now);
                }
            }
            if (!refused) through++;
        }
        return through;
    }

    private static boolean matches(JsonNode statement, Request request) {
        var entry = statement.properties().iterator().next();
        return switch (entry.getKey()) {
            case "AndStatement" -> stream(entry.getValue().get("Statements")).stream().allMatch(each -> matches(each, request));
            case "ByteMatchStatement" -> {
                String field = entry.getValue().get("FieldToMatch").has("Method") ? request.method() : request.path();
                var transformations = stream(entry.getValue().get("TextTransformations"));
                for (var transformation : transformations.stream().sorted((a, b) -> a.get("Priority").asInt() - b.get("Priority").asInt())
                        .toList())
                    field = transformed(field, transformation.get("Type").asText());
                String wanted = entry.getValue().get("SearchString").asText();
                yield switch (entry.getValue().get("PositionalConstraint").asText()) {
                    case "EXACTLY" -> field.equals(wanted);
                    case "STARTS_WITH" -> field.startsWith(wanted);
                    default -> throw new AssertionError("this test does not know " + entry.getValue());
                };
            }
            default -> throw new AssertionError("this test does not know " + entry);
        };
    }

    private static String transformed(String text, String how) {
        return switch (how) {
            case "NONE" -> text;
            case "URL_DECODE" -> URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
            case "NORMALIZE_PATH" -> normalized(text);
            default -> throw new AssertionError("this test does not know " + how);
        };
    }

    private static String normalized(String path) {
        var parts = new ArrayDeque<String>();
        for (String part : path.split("/")) {
            switch (part) {
                case "", "." -> {}
                case ".." -> parts.pollLast();
                default -> parts.addLast(part);
            }
        }
        return "/" + String.join("/", parts) + (path.endsWith("/") && !parts.isEmpty() ? "/" : "");
    }

    private static List<JsonNode> stream(JsonNode array) {
        return IntStream.range(0, array.size()).mapToObj(array::get).toList();
    }
}
