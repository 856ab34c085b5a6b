package lockstep.valve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import lockstep.assembly.Assembly;
import lockstep.project.ProjectFiles;
import lockstep.valve.Statement.Right;
import lockstep.valve.Statement.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Compares whether statements apply to single requests with the emulator's evaluator, which is maintained by others and enforces IAM in the
 * local cloud.
 */
class EvaluatorTest {
    private static final int CASES = 4_000;
    private static final List<String> ACTIONS = List.of("s3:GetObject", "s3:PutObject", "s3:*", "S3:get*", "s3:?etObject", "kms:Decrypt",
            "kms:*", "*", "sns:Publish");
    private static final List<String> RESOURCES = List.of("*", "arn:aws:s3:::parts/*", "arn:aws:s3:::parts/a", "arn:aws:s3:::Parts/*",
            "arn:aws:s3:::p*s/?", "arn:aws:kms:eu-central-1:111111111111:key/1", "arn:aws:kms:*:111111111111:key/*");
    private static final List<String> KEYS = List.of("aws:PrincipalArn", "aws:PrincipalAccount", "aws:SourceArn", "aws:SourceAccount",
            "aws:SecureTransport", "sts:ExternalId");
    private static final List<String> OPERATORS = List.of("StringEquals", "StringNotEquals", "StringLike", "StringNotLike",
            "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "ArnLike", "ArnNotLike", "ArnEquals", "Null",
            "StringEqualsIfExists", "StringLikeIfExists", "StringNotEqualsIfExists", "ForAllValues:StringEquals", "ForAllValues:StringLike",
            "ForAnyValue:StringEquals", "ForAnyValue:StringLike", "ForAnyValue:StringNotEquals",
            "ForAnyValue:StringEqualsIfExists", "ForAllValues:StringNotEquals", "Bool", "BoolIfExists");
    private static final List<String> VALUES = List.of("*", "111111111111", "222222222222", "2*", "?11111111111",
            "arn:aws:iam::111111111111:role/worker", "arn:aws:iam::222222222222:role/worker", "arn:aws:iam::*:role/w*",
            "arn:aws:iam::222222222222:role/Worker", "lockstep", "LOCKSTEP", "lock*", "true", "false");

    @TempDir private Path directory;
    private final Random random = new Random(61);

    @Test
    void aStatementAppliesAsTheKeptEvaluatorSays() throws Exception {
        var cases = new ArrayList<ObjectNode>();
        for (int i = 0; i < CASES; i++) cases.add(aCase());
        var theirs = theirs(cases);
        int applying = 0;
        for (int i = 0; i < CASES; i++) {
            var tried = cases.get(i);
            boolean applies = theirs.get(i).asBoolean();
            assertEquals(applies, alwaysMatches(tried), () -> "surely: " + tried);
            assertEquals(applies, mayMatch(tried), () -> "maybe: " + tried);
            applying += applies ? 1 : 0;
        }
        assertTrue(applying > CASES / 10 && applying < CASES * 9 / 10, "both answers occur: " + applying + " apply");
    }

    private ObjectNode aCase() {
        var made = Assembly.JSON.createObjectNode();
        made.put("action", oneOf(List.of("s3:GetObject", "s3:PutObject", "kms:Decrypt", "sns:Publish")));
        made.put("resource", oneOf(List.of("arn:aws:s3:::parts/a", "arn:aws:s3:::parts/ab", "arn:aws:s3:::Parts/a",
                "arn:aws:kms:eu-central-1:111111111111:key/1", "arn:aws:kms:eu-central-1:222222222222:key/1")));
        var keys = made.putObject("keys");
        // the evaluator always sets these keys
        keys.put("aws:PrincipalArn", oneOf(List.of("arn:aws:iam::111111111111:role/worker", "arn:aws:iam::222222222222:role/worker",
                "arn:aws:iam::222222222222:role/other")));
        keys.put("aws:PrincipalAccount", oneOf(List.of("111111111111", "222222222222")));
        keys.put("aws:SecureTransport", oneOf(List.of("true", "false")));
        if (random.nextBoolean())
            keys.put("aws:SourceArn", oneOf(List.of("arn:aws:sns:eu-central-1:111111111111:t", "arn:aws:iam::111111111111:role/worker")));
        if (random.nextBoolean()) keys.put("aws:SourceAccount", oneOf(List.of("111111111111", "222222222222")));
        if (random.nextBoolean()) keys.put("sts:ExternalId", oneOf(List.of("lockstep", "other")));
        var statement = made.putObject("statement").put("Effect", oneOf(List.of("Allow", "Deny")));
        var actions = statement.putArray(random.nextInt(4) == 0 ? "NotAction" : "Action");
        for (int i = random.nextInt(2); i >= 0; i--) actions.add(oneOf(ACTIONS));
        var resources = statement.putArray(random.nextInt(4) == 0 ? "NotResource" : "Resource");
        for (int i = random.nextInt(2); i >= 0; i--) resources.add(oneOf(RESOURCES));
        var conditions = statement.putObject("Condition");
        for (int i = random.nextInt(3); i > 0; i--) {
            String operator = oneOf(OPERATORS);
            var values = conditions.withObject("/" + operator).putArray(oneOf(KEYS));
            if (operator.equals("Null")) values.add(oneOf(List.of("true", "false")));
            else for (int value = random.nextInt(2); value >= 0; value--) values.add(oneOf(VALUES));
        }
        return made;
    }

    private String oneOf(List<String> list) {
        return list.get(random.nextInt(list.size()));
    }

    private JsonNode theirs(List<ObjectNode> cases) throws Exception {
        Path file = Files.writeString(directory.resolve("cases.json"), Assembly.JSON.writeValueAsString(cases));
        var script = Path.of(EvaluatorTest.class.getResource("/valve/evaluate.py").toURI());
        var process = new ProcessBuilder(ProjectFiles.ofLauncher().python().toString(), script.toString(), file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var answers = Assembly.JSON.readTree(process.getInputStream());
        assertEquals(0, process.waitFor());
        return answers;
    }

    private static Statement statement(JsonNode tried) {
        var document = Assembly.JSON.createObjectNode();
        document.putArray("Statement").add(tried.get("statement"));
        return Statement.of(new Source("a", "stack", "Id", "Policy", 0), document).getFirst();
    }

    private static Right right(JsonNode tried) {
        return new Right(Glob.action(tried.get("action").asString()), List.of(), new Glob(tried.get("resource").asString()), List.of());
    }

    private static boolean alwaysMatches(JsonNode tried) {
        var statement = statement(tried);
        return statement.covers(right(tried)) && statement.conditions().alwaysMatches(domains(tried));
    }

    private static boolean mayMatch(JsonNode tried) {
        var statement = statement(tried);
        var wanted = right(tried);
        boolean applies = statement.rights().stream()
                .anyMatch(right -> right.action().overlaps(wanted.action()) && !wanted.action().coveredBy(right.exceptActions())
                        && right.resource().overlaps(wanted.resource()) && !wanted.resource().coveredBy(right.exceptResources()));
        return applies && statement.conditions().mayMatch(domains(tried), condition -> {
            throw new AssertionError("not evaluated: " + condition);
        });
    }

    private static Function<String, Optional<Domain>> domains(JsonNode tried) {
        var keys = new TreeMap<String, String>(String.CASE_INSENSITIVE_ORDER);
        tried.get("keys").properties().forEach(key -> keys.put(key.getKey(), key.getValue().asString()));
        return key -> Optional.of(keys.containsKey(key) ? Domain.of(keys.get(key)) : Domain.ABSENT);
    }
}
