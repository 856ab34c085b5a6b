package lockstep.preflight;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import lockstep.accounts.AccountAccess;
import lockstep.assembly.Assembly;
import lockstep.assembly.Assembly.Stack;
import lockstep.landscape.Account;
import lockstep.landscape.Delivery;
import lockstep.landscape.Landscape;
import lockstep.preflight.Check.Result;
import lockstep.preflight.Check.State;
import lockstep.project.ProjectFiles;
import lockstep.project.TextTable;
import lockstep.project.UserFault;
import lockstep.release.Engine;
import software.amazon.awssdk.core.exception.SdkException;
import tools.jackson.core.JacksonException;

/** What a deployment of a landscape would find on AWS. Each account is read with the profile of its name. */
public record Preflight(List<Line> checks) {
    /** @param account the account's name, or {@link #MACHINE} */
    public record Line(String account, String check, String state, String found, String needed, String remedy) {
        static Line of(String account, String check, Result result) {
            return new Line(account, check, result.state().toString(), result.found(), result.needed(), result.remedy());
        }
    }

    private static final String MACHINE = "(this machine)";

    /** @param assembly the landscape's synthesized templates */
    public static Preflight read(ProjectFiles files, Landscape landscape, Assembly assembly) {
        var lines = new ArrayList<Line>();
        lines.add(Line.of(MACHINE, "image engine", engine(files)));
        landscape.delivery().ifPresent(delivery -> lines.add(Line.of(MACHINE, "issuer of tokens", issuer(delivery))));
        landscape.accounts().parallelStream().map(account -> read(landscape, account, assembly.stacksOf(account))).toList()
                .forEach(lines::addAll);
        return new Preflight(lines);
    }

    public boolean ok() {
        return checks.stream().allMatch(line -> line.state().equals(State.OK.toString()));
    }

    /** Returns a row for each check, and below each that is not ok what to do. */
    public String table() {
        var table = new TextTable().left("account", 0).left("check", 0).left("state", 0).left("found", 0).left("needed", 0);
        for (Line line : checks) {
            table.row(line.account(), line.check(), line.state(), line.found(), line.needed());
            if (!line.remedy().isEmpty()) table.note("    fix: " + line.remedy());
        }
        long open = checks.stream().filter(line -> !line.remedy().isEmpty()).count();
        return table + "\n\n" + (open == 0 ? "Everything that was checked is ready for a deployment."
                : open + " of " + checks.size() + " checks are not ok.");
    }

    /** Returns the lines of an account. If the profile belongs to another account, nothing else is read there. */
    static List<Line> read(Landscape landscape, Account account, List<Stack> stacks) {
        String region = landscape.regionOf(account), needed = account.id() + ", " + region;
        try (var access = AccountAccess.unverified(account.name(), region, account.id())) {
            String found = access.callerAccount();
            if (!found.equals(account.id())) return List.of(Line.of(account.name(), "identity", Result.wrong(found, needed,
                    "give the profile " + account.name() + " credentials of that account, or correct its id in lockstep.yaml")));
            var lines = new ArrayList<>(List.of(Line.of(account.name(), "identity", Result.ok(found + ", " + region, needed))));
            var reader = new AccountReader(access, stacks.stream().map(Stack::name).toList());
            checks(landscape, account, stacks).forEach(check -> lines.add(Line.of(account.name(), check.name(), result(check, reader))));
            return lines;
        } catch (SdkException | IllegalArgumentException e) {
            return List.of(Line.of(account.name(), "identity", Result.wrong(e.getMessage(), needed,
                    "create or renew the profile, for example: aws configure sso --profile " + account.name()
                            + "; if the region is disabled, enable it in the account's settings")));
        }
    }

    private static List<Check> checks(Landscape landscape, Account account, List<Stack> stacks) {
        var checks = new ArrayList<Check>();
        stacks.stream().map(stack -> stack.artifact().path("properties")).filter(p -> p.has("requiresBootstrapStackVersion")).findFirst()
                .ifPresent(p -> checks.add(new Bootstrapped(account, landscape.regionOf(account),
                        p.path("bootstrapStackVersionSsmParameter").asString(), p.path("requiresBootstrapStackVersion").asInt())));
        checks.add(ServiceRoles.of(account, stacks));
        checks.addAll(new Quotas(landscape, account, stacks).limits());
        account.proxies().stream().filter(proxy -> proxy.certificate().isPresent())
                .forEach(proxy -> checks.add(new Certificate(account, landscape.regionOf(account), proxy)));
        checks.add(Zones.of(stacks));
        checks.addAll(TakenNames.of(account, stacks));
        return checks;
    }

    private static Result result(Check check, AccountReader reader) {
        try {
            return check.of(reader);
        } catch (AccountReader.Refused e) {
            return e.isDenied() ? Result.unchecked("needs " + e.action, "allow " + e.action + " (docs/adopt.md has the whole policy)")
                    : Result.unchecked(e.getMessage(), "look for the cause in this answer, and run it again");
        } catch (RuntimeException e) {
            return Result.unchecked(e.getMessage(), "look for the cause in this message, and run it again");
        }
    }

    private static Result engine(ProjectFiles files) {
        try {
            return Result.ok(Engine.ofThisMachine(files).command(), "any");
        } catch (UserFault e) {
            return Result.wrong("none that answers", "any",
                    "start docker, or name another engine in CDK_DOCKER; or deploy a release that was built elsewhere (--from FILE)");
        }
    }

    /** Reads the document that AWS reads too. AWS reads it from the internet, so an answer to this machine does not prove everything. */
    static Result issuer(Delivery delivery) {
        String address = delivery.gitlab() + "/.well-known/openid-configuration",
                remedy = "make it readable from the internet, or leave 'delivery' out of lockstep.yaml until it is";
        try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build()) {
            var answer = client.send(HttpRequest.newBuilder(URI.create(address)).timeout(Duration.ofSeconds(20)).build(),
                    HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) return Result.wrong("HTTP " + answer.statusCode(), address, remedy);
            String issuer = Assembly.JSON.readTree(answer.body()).path("issuer").asString("");
            return issuer.equals(delivery.gitlab()) ? Result.ok(issuer, delivery.gitlab())
                    : Result.wrong("issuer " + issuer, delivery.gitlab(), "write delivery.gitlab in lockstep.yaml exactly so");
        } catch (IOException | JacksonException e) {
            return Result.wrong("no answer: " + e, address, remedy);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("interrupted", e);
        }
    }
}
