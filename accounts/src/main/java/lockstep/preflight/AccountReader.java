package lockstep.preflight;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import lockstep.accounts.AccountAccess;
import lockstep.assembly.Assembly;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import tools.jackson.databind.JsonNode;

/** Reads an account with the rights of the caller. It changes nothing. */
final class AccountReader {
    private static final Map<String, String> QUERY_VERSIONS = Map.of("cloudformation", "2010-05-15", "ec2", "2016-11-15", "iam",
            "2010-05-08");

    /** Thrown when a service refuses a read. {@code action} is the one that a policy must allow. */
    static final class Refused extends RuntimeException {
        final String code;
        final String action;

        Refused(String code, String action, String answer) {
            super(code + ": " + answer);
            this.code = code;
            this.action = action;
        }

        boolean isDenied() {
            return code.matches(".*(AccessDenied|Unauthorized|NotAuthorized|403).*");
        }
    }

    private final AccountAccess access;
    private final List<String> stacks;
    private Set<String> ours;

    /** @param stacks the names of the landscape's stacks in this account, whether they exist or not */
    AccountReader(AccountAccess access, List<String> stacks) {
        this.access = access;
        this.stacks = stacks;
    }

    /** Calls an operation of a service that speaks JSON. @param target its prefix in {@code X-Amz-Target} */
    JsonNode json(String service, String target, String operation, Map<String, ?> input) {
        var answer = access.post(service,
                Map.of("Content-Type", "application/x-amz-json-1.1", "X-Amz-Target", target + "." + operation),
                Assembly.JSON.writeValueAsString(input));
        if (answer.isSuccessful()) return Assembly.JSON.readTree(answer.body());
        String code = answer.body().startsWith("{") ? Assembly.JSON.readTree(answer.body()).path("__type").asString("") : "";
        throw new Refused(code.isEmpty() ? "HTTP " + answer.status() : code.replaceFirst("^.*#", ""), service + ":" + operation,
                answer.body());
    }

    /** Calls an action of a service that speaks the Query protocol. */
    Document query(String service, String action, Map<String, String> parameters) {
        var all = new TreeMap<>(parameters);
        all.put("Action", action);
        all.put("Version", QUERY_VERSIONS.get(service));
        var answer = access.post(service, Map.of("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
                all.entrySet().stream().map(p -> p.getKey() + "=" + URLEncoder.encode(p.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&")));
        Optional<Document> xml = parsed(answer.body());
        if (answer.isSuccessful() && xml.isPresent()) return xml.get();
        throw new Refused(xml.flatMap(body -> texts(body, "Code").stream().findFirst()).orElse("HTTP " + answer.status()),
                service + ":" + action, answer.body());
    }

    private static Optional<Document> parsed(String body) {
        try {
            var factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            var builder = factory.newDocumentBuilder();
            builder.setErrorHandler(null);
            return Optional.of(builder.parse(new InputSource(new StringReader(body))));
        } catch (SAXException e) {
            return Optional.empty();
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the texts of all elements with this name, in the order of the document. */
    static List<String> texts(Document xml, String element) {
        var nodes = xml.getElementsByTagName(element);
        return IntStream.range(0, nodes.getLength()).mapToObj(i -> nodes.item(i).getTextContent().strip()).toList();
    }

    /** Reports whether something exists. @param missing the error code that says that it does not */
    static boolean exists(Supplier<?> read, String missing) {
        try {
            read.get();
            return true;
        } catch (Refused e) {
            if (e.code.startsWith(missing)) return false;
            throw e;
        }
    }

    /** Reports whether anybody has a bucket of this name. It then answers 403 or 301 if it is not the caller's. */
    boolean bucketExists(String name) {
        try (var s3 = access.client(S3Client.builder().forcePathStyle(true))) {
            s3.headBucket(r -> r.bucket(name));
            return true;
        } catch (S3Exception e) {
            return e.statusCode() != 404;
        }
    }

    /** Reports whether a stack of the landscape has created this resource, and still has it. */
    boolean isOurs(String stack, String logicalId) {
        if (ours == null) {
            var found = new HashSet<String>();
            stacks.forEach(name -> resources(name, found));
            ours = found;
        }
        return ours.contains(stack + "/" + logicalId);
    }

    private void resources(String stack, Set<String> found) {
        var parameters = new TreeMap<>(Map.of("StackName", stack));
        try {
            do {
                var page = query("cloudformation", "ListStackResources", parameters);
                var ids = texts(page, "LogicalResourceId");
                var states = texts(page, "ResourceStatus");
                for (int i = 0; i < ids.size(); i++)
                    if (!states.get(i).matches("DELETE_(COMPLETE|SKIPPED)|CREATE_FAILED")) found.add(stack + "/" + ids.get(i));
                parameters.remove("NextToken");
                texts(page, "NextToken").stream().filter(token -> !token.isEmpty()).forEach(token -> parameters.put("NextToken", token));
            } while (parameters.containsKey("NextToken"));
        } catch (Refused e) {
            // the answer for a stack that does not exist
            if (!e.code.equals("ValidationError")) throw e;
        }
    }
}
