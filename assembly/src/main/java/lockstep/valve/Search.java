package lockstep.valve;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.landscape.Names;
import lockstep.landscape.Purpose;
import lockstep.valve.Attack.Broken;
import lockstep.valve.Attack.Step;
import lockstep.valve.Holder.Kind;
import lockstep.valve.Holder.Match;
import lockstep.valve.Policies.Identity;
import lockstep.valve.Policies.ResourcePolicy;
import lockstep.valve.Statement.Right;
import lockstep.valve.Statement.Source;

/** Follows the rights of each party from role to role and compares them with the claim. */
final class Search {
    /**
     * A party from which the search starts.
     *
     * @param receives whether it takes part in syncs, so that the closed list applies to it
     */
    record Start(Holder holder, Broken claim, boolean receives) {}

    /** @param by the identity's statement, then the resource's, as far as each was needed */
    private record Reach(Right right, List<Source> by, String accountId, Optional<String> role) {}

    /**
     * A holder that a start has become, and the path to it.
     *
     * @param unpermitted the steps of the path that no permit covers; attacks that differ only in these are reported separately
     */
    private record Node(Start start, Holder holder, List<Step> path, List<Step> unpermitted) {}

    private static final Glob ASSUME = Glob.action("sts:AssumeRole");
    /** Actions that let a holder give itself any right. */
    private static final List<String> SELF_SERVICE = List.of("iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy",
            "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreatePolicyVersion",
            "iam:PutGroupPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy", "iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy",
            "iam:UpdateLoginProfile");
    private static final List<String> RUN_VERBS = List.of("Create*", "Put*", "Register*", "Run*", "Start*", "Submit*", "Update*");
    private static final int MAX_SHOWN = 6;

    private final Templates templates;
    private final Policies policies;
    private final Claim claim;
    private final Holder.Surroundings surroundings;
    private final List<Statement> denials;
    private final Map<Holder, List<Reach>> rightsOf = new IdentityHashMap<>();
    private final Set<String> open = new TreeSet<>();
    private final List<Attack> attacks = new ArrayList<>();
    private final Set<String> reported = new HashSet<>();
    /** The permitted rights that were found, by the name of the start. */
    private final Map<String, Set<String>> reached = new LinkedHashMap<>();

    Search(Templates templates, Policies policies) {
        this.templates = templates;
        this.policies = policies;
        this.claim = new Claim(templates);
        denials = policies.resourcePolicies().stream()
                .flatMap(policy -> policy.statements().stream().filter(statement -> !statement.allow())
                        .map(statement -> policy.trust().map(role -> limitedToRole(statement, role)).orElse(statement)))
                .toList();
        surroundings = new Holder.Surroundings(templates.landscape().accounts().stream().map(Account::id).toList(),
                templates.ofType("AWS::S3::Bucket").map(bucket -> Map.entry(bucket.reference(), bucket.account().id())).toList());
    }

    List<Attack> attacks() {
        return attacks;
    }

    /** Returns the conditions that could not be evaluated. */
    Set<String> open() {
        return open;
    }

    Map<String, Set<String>> reached() {
        return reached;
    }

    void run() {
        var starts = starts();
        starts.forEach(start -> reached.computeIfAbsent(start.holder().name(), name -> new LinkedHashSet<>()));
        starts.forEach(this::search);
    }

    // ---- starts

    private List<Start> starts() {
        var starts = new ArrayList<Start>();
        for (var account : templates.landscape().accounts()) {
            if (account.purpose() == Purpose.DEMO) startsOfDemo(account, starts);
            if (account.purpose() == Purpose.QA) startsOfQa(account, starts);
        }
        var outsiders = Domain.of("arn:aws:iam::*", "arn:aws:sts::*").orAbsent()
                .except(surroundings.accountIds().stream().map(id -> "arn:aws:*::" + id + ":*").toList());
        starts.add(new Start(new Holder(Kind.PRINCIPAL, "anyone", "", outsiders, Domain.chosen(), Optional.empty(), Set.of(), surroundings),
                Broken.PUBLIC, false));
        starts.add(new Start(new Holder(Kind.SERVICE, "an AWS service, used by anyone", "", Domain.ABSENT, Domain.ABSENT, Optional.empty(),
                Set.of(), surroundings), Broken.PUBLIC, false));
        starts.add(new Start(new Holder(Kind.TOKEN, "anyone with a token of the same identity provider", "", Domain.ABSENT, Domain.ABSENT,
                Optional.empty(), Set.of(), surroundings), Broken.PUBLIC, false));
        return starts;
    }

    /** Adds the starts of a demo account. The attacker owns the whole account and can create any principal with any rights in it. */
    private void startsOfDemo(Account account, List<Start> starts) {
        var whole = Domain.of("arn:aws:iam::" + account.id() + ":*", "arn:aws:sts::" + account.id() + ":*");
        var readers = readers(account);
        starts.add(
                start(account, "any principal of %s except its readers".formatted(account.name()), whole.except(readers), Domain.chosen(),
                        Set.of()));
        starts.add(new Start(new Holder(Kind.SERVICE, "an AWS service, used by " + account.name(), account.id(), Domain.ABSENT,
                Domain.ABSENT, Optional.empty(), Set.of(), surroundings), Broken.REACH, false));
        var own = Domain.of(readers.toArray(String[]::new));
        String worker = "%s's reader (%s or %s)".formatted(account.name(), Names.workerRole(), Names.watchRole());
        for (var source : sources()) {
            String external = Names.externalId(source.name());
            starts.add(start(account, worker, own, Domain.of(external), Set.of(source.name())));
            starts.add(start(account, worker + " without the external id", own, Domain.chosen().except(List.of(external)), Set.of()));
        }
    }

    private Start start(Account account, String name, Domain arn, Domain externalId, Set<String> readerOf) {
        return new Start(new Holder(Kind.PRINCIPAL, name, account.id(), arn, externalId, Optional.empty(), readerOf, surroundings),
                Broken.REACH, true);
    }

    /** Returns the accounts with a source of a data set. */
    private List<Account> sources() {
        return templates.landscape().accounts().stream().filter(account -> !templates.landscape().sourcesIn(account).isEmpty()).toList();
    }

    /** Returns the ARNs of the readers, and the session ARNs that an emulator may compare instead. */
    private static List<String> readers(Account account) {
        return Claim.readers(account).stream()
                .flatMap(arn -> Stream.of(arn, arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/*")).toList();
    }

    /** Adds the starts of a qa account, which has both editions: the roles of the demo edition, and those that serve both. */
    private void startsOfQa(Account account, List<Start> starts) {
        for (var identity : policies.identities()) {
            if (!identity.accountId().equals(account.id())) continue;
            String name = account.name() + "'s "
                    + (identity.name().startsWith(identity.resource().stack()) ? identity.resource().id() : identity.name());
            if (Claim.demoStacks(account).contains(identity.resource().stack())
                    || identity.resource().stack().equals(Names.shardFunctionsStack(account.name())))
                starts.add(new Start(holder(identity, name, Domain.chosen(), Set.of()), Broken.REACH, false));
            if (!identity.resource().stack().equals(Names.targetStack(account.name()))) continue;
            boolean reader = Claim.readers(account).contains(identity.arn());
            for (var source : sources()) {
                String external = Names.externalId(source.name());
                if (reader) starts.add(new Start(holder(identity, name, Domain.of(external), Set.of(source.name())), Broken.REACH, true));
                starts.add(new Start(holder(identity, reader ? name + " without the external id" : name,
                        reader ? Domain.chosen().except(List.of(external)) : Domain.chosen(), Set.of()), Broken.REACH, true));
            }
        }
    }

    private Holder holder(Identity identity, String name, Domain externalId, Set<String> readerOf) {
        return new Holder(Kind.PRINCIPAL, name, identity.accountId(), Domain.of(identity.arn()), externalId, Optional.of(identity),
                readerOf, surroundings);
    }

    // ---- the search

    private void search(Start start) {
        var nodes = new ArrayDeque<>(List.of(new Node(start, start.holder(), List.of(), List.of())));
        var seen = new HashSet<>(Set.of(start.holder().name()));
        while (!nodes.isEmpty()) {
            var node = nodes.poll();
            var broken = new LinkedHashMap<List<Source>, List<Reach>>();
            var all = reaches(node.holder());
            for (var reach : all) {
                boolean permitted = claim.permits(start, node.holder(), reach.right());
                if (inScope(start, reach.accountId()) && !permitted) {
                    broken.computeIfAbsent(reach.by(), by -> new ArrayList<>()).add(reach);
                    continue;
                }
                if (permitted) reached.get(start.holder().name()).add("%s %s".formatted(reach.right().action(), reach.right().resource()));
                // a holder that is any principal of an account already includes its roles
                if (node.holder().identity().isEmpty() && reach.accountId().equals(node.holder().accountId())) continue;
                reach.role().flatMap(this::identity).filter(next -> seen.add(next.arn()))
                        .ifPresent(next -> nodes.add(become(node, next, step(node.holder(), List.of(reach)), permitted)));
            }
            broken.forEach((by, reaches) -> report(node, by.getLast(), reaches));
            for (var next : takenOver(node.holder(), all)) {
                if (isPartyOfItsOwn(start, next.getKey()) || !seen.add(next.getKey().name())) continue;
                var taken = new Node(start, next.getKey(), append(node.path(), next.getValue()),
                        append(node.unpermitted(), next.getValue()));
                if (inScope(start, next.getKey().accountId())) reportTakenOver(taken);
                else nodes.add(taken);
            }
        }
    }

    /**
     * Reports whether a role belongs to the same stack of qa's master data as the start. It is searched as a start itself, with what it may
     * reach, so taking it over gains nothing.
     */
    private boolean isPartyOfItsOwn(Start start, Holder other) {
        var stack = start.holder().identity().map(identity -> identity.resource().stack());
        return stack.equals(other.identity().map(identity -> identity.resource().stack())) && templates.landscape().accounts().stream()
                .filter(account -> account.purpose() == Purpose.QA).map(account -> Names.targetStack(account.name()))
                .anyMatch(target -> stack.filter(target::equals).isPresent());
    }

    /** Reports whether an account is checked for a start: production accounts for demo parties, all accounts for the public. */
    private boolean inScope(Start start, String accountId) {
        return start.holder().isOutsider() || templates.landscape().accounts().stream()
                .anyMatch(account -> account.id().equals(accountId) && Claim.isProduction(account));
    }

    private Optional<Identity> identity(String arn) {
        return policies.identities().stream().filter(identity -> identity.arn().equals(arn)).findFirst();
    }

    private Node become(Node node, Identity identity, Step step, boolean permitted) {
        return new Node(node.start(), holder(identity, identity.arn(), Domain.chosen(), Set.of()), append(node.path(), step),
                permitted ? node.unpermitted() : append(node.unpermitted(), step));
    }

    private static List<Step> append(List<Step> path, Step step) {
        return Stream.concat(path.stream(), Stream.of(step)).toList();
    }

    /** @param reaches everything that one statement allows the holder */
    private void report(Node node, Source statement, List<Reach> reaches) {
        String direct = node.start().claim() + " " + statement;
        // a direct attack makes longer paths to the same statement redundant
        if (reported.contains(direct) || !reported.add(direct + unpermittedCauses(node))) return;
        var byResource = new LinkedHashMap<Glob, List<Reach>>();
        reaches.forEach(reach -> byResource.computeIfAbsent(reach.right().resource(), resource -> new ArrayList<>()).add(reach));
        var steps = new ArrayList<>(node.path());
        byResource.values().stream().limit(MAX_SHOWN).forEach(same -> steps.add(step(node.holder(), same)));
        reaches.getFirst().role().flatMap(this::identity).ifPresent(role -> rightsStep(role).ifPresent(steps::add));
        var last = steps.get(node.path().size());
        attacks.add(new Attack(node.start().claim(), "%s: %s".formatted(node.start().holder().name(),
                last.action().startsWith("sts:AssumeRole") ? "becomes " + last.resource() : last.action() + " on " + last.resource()),
                steps));
    }

    private void reportTakenOver(Node taken) {
        if (!reported.add(taken.start().claim() + unpermittedCauses(taken))) return;
        var steps = new ArrayList<>(taken.path());
        taken.holder().identity().flatMap(this::rightsStep).ifPresent(steps::add);
        attacks.add(
                new Attack(taken.start().claim(), "%s: becomes %s".formatted(taken.start().holder().name(), taken.holder().name()), steps));
    }

    private static String unpermittedCauses(Node node) {
        return node.unpermitted().stream().map(step -> " " + step.by()).collect(Collectors.joining());
    }

    /** Returns a step that shows the rights of a role that should be unreachable. */
    private Optional<Step> rightsStep(Identity role) {
        var rights = new ArrayList<>(identityRights(holder(role, role.arn(), Domain.chosen(), Set.of())));
        if (rights.isEmpty()) return Optional.empty();
        // rights on all resources are mostly what every function needs, so they come last
        rights.sort(Comparator.comparing(reach -> reach.right().resource().equals(Glob.ANY) && !reach.right().action().equals(Glob.ANY)));
        var byResource = rights.stream().collect(Collectors.groupingBy(reach -> reach.right().resource(), LinkedHashMap::new,
                Collectors.mapping(reach -> reach.right().action().toString(), Collectors.joining(", "))));
        var first = byResource.firstEntry();
        var more = byResource.entrySet().stream().skip(1).limit(MAX_SHOWN).map(entry -> entry.getValue() + " on " + entry.getKey())
                .collect(Collectors.joining("; "));
        return Optional.of(new Step(role.arn(), first.getValue(), first.getKey().toString(), texts(rights.getFirst().by()),
                more.isEmpty() ? "" : "and: " + more + (byResource.size() > MAX_SHOWN + 1 ? "; …" : "")));
    }

    /** @param reaches rights on one resource, through the same statements */
    private static Step step(Holder holder, List<Reach> reaches) {
        var right = reaches.getFirst().right();
        String except = Stream.concat(right.exceptActions().stream(), right.exceptResources().stream()).map(Glob::toString)
                .collect(Collectors.joining(", "));
        return new Step(holder.name(),
                reaches.stream().map(reach -> reach.right().action().toString()).distinct().collect(Collectors.joining(", ")),
                right.resource().toString(), texts(reaches.getFirst().by()),
                except.isEmpty() ? "" : "except " + except);
    }

    private static List<String> texts(List<Source> by) {
        return by.stream().map(Source::toString).toList();
    }

    // ---- the rights of a holder

    private List<Reach> reaches(Holder holder) {
        var reaches = new ArrayList<Reach>();
        for (var policy : policies.resourcePolicies()) {
            for (var statement : policy.statements()) if (statement.allow()) admitted(holder, policy, statement, reaches);
        }
        if (holder.identity().isPresent()) {
            for (var reach : identityRights(holder)) {
                boolean byTrust = reach.right().action().equals(ASSUME)
                        && policies.identities().stream().anyMatch(identity -> reach.right().resource().overlaps(new Glob(identity.arn())));
                // trust policies and the policies of other accounts' resources were handled above
                if (!byTrust && reach.accountId().equals(holder.accountId())) reaches.add(reach);
            }
        }
        reaches.sort(Comparator.comparing(reach -> reach.role().isEmpty()));
        return reaches;
    }

    private void admitted(Holder holder, ResourcePolicy policy, Statement statement, List<Reach> reaches) {
        // a service gets a role through iam:PassRole, which works only within the account
        if (holder.kind() == Kind.SERVICE && policy.trust().isPresent() || holder.kind() == Kind.TOKEN && policy.trust().isEmpty()) return;
        var match = holder.mayMatch(statement);
        String owner = policy.holder().account().id();
        boolean same = owner.equals(holder.accountId());
        if (match == Match.NO || same && match == Match.ACCOUNT && policy.trust().isEmpty() && holder.identity().isPresent()) return;
        if (!mayApply(statement, holder, owner)) return;
        if (holder.kind() == Kind.TOKEN && statement.conditions().limitToProject()) return;
        // S3 refuses such a policy
        if (policy.blocksPublic() && statement.conditions().isEmpty()
                && statement.principals().stream().anyMatch(Statement.Principal::isAnyone))
            return;
        // within its account, the policies of that service decide what it returns
        if (same && policy.holder().type().equals("AWS::KMS::Key") && statement.conditions().limitToService()) return;
        for (Right right : policy.rights(statement)) {
            if (holder.isOutsider() && claim.isLogDelivery(statement, right, statement.source())) continue;
            boolean needsIdentity = holder.identity().isPresent() && (!same || match == Match.ACCOUNT);
            if (!needsIdentity) add(holder, owner, right, List.of(statement.source()), policy.trust(), reaches);
            else for (var own : identityRights(holder)) {
                var action = own.right().action().narrowed(right.action());
                var resource = own.right().resource().narrowed(right.resource());
                if (action.isPresent() && resource.isPresent())
                    add(holder, owner, new Right(action.get(), right.exceptActions(), resource.get(), right.exceptResources()),
                            List.of(own.by().getFirst(), statement.source()), policy.trust(), reaches);
            }
        }
    }

    private void add(Holder holder, String owner, Right right, List<Source> by, Optional<String> trust, List<Reach> reaches) {
        if (isDenied(holder, owner, right)) return;
        boolean assumes = Stream.of(ASSUME, Glob.action("sts:AssumeRoleWithWebIdentity"), Glob.action("sts:AssumeRoleWithSAML"))
                .anyMatch(right.action()::overlaps);
        // report the step as assuming the role
        reaches.add(trust.isPresent() && assumes && right.action().overlaps(ASSUME)
                ? new Reach(new Right(ASSUME, List.of(), right.resource(), List.of()), by, owner, trust)
                : new Reach(right, by, owner, assumes ? trust : Optional.empty()));
    }

    /**
     * Returns the rights from the policies of an identity alone, limited by its boundary. A right belongs to the account in its ARN, or
     * else to the identity's.
     */
    private List<Reach> identityRights(Holder holder) {
        var known = rightsOf.get(holder);
        if (known != null) return known;
        var identity = holder.identity().orElseThrow();
        var reaches = new ArrayList<Reach>();
        for (var statement : identity.statements()) {
            if (!statement.allow() || !mayApply(statement, holder, identity.accountId())) continue;
            for (Right right : statement.rights()) {
                for (Right bounded : bounded(identity, holder, right)) {
                    if (!isDenied(holder, identity.accountId(), bounded)) reaches.add(new Reach(bounded, List.of(statement.source()),
                            owner(bounded.resource(), identity.accountId()), Optional.empty()));
                }
            }
        }
        rightsOf.put(holder, reaches);
        return reaches;
    }

    private List<Right> bounded(Identity identity, Holder holder, Right right) {
        if (identity.boundary().isEmpty()) return List.of(right);
        return identity.boundary().get().stream().filter(Statement::allow)
                .filter(limit -> mayApply(limit, holder, identity.accountId()))
                .flatMap(limit -> limit.rights().stream()).flatMap(limit -> right.action().narrowed(limit.action())
                        .flatMap(action -> right.resource().narrowed(limit.resource())
                                .map(resource -> new Right(action, joined(right.exceptActions(), limit.exceptActions()), resource,
                                        joined(right.exceptResources(), limit.exceptResources()))))
                        .stream())
                .toList();
    }

    /** Reports whether some request of the holder meets the conditions of a statement. */
    private boolean mayApply(Statement statement, Holder holder, String owner) {
        return statement.conditions().mayMatch(key -> holder.domain(key, owner),
                condition -> open.add(statement.source() + " " + condition.key()));
    }

    private static List<Glob> joined(List<Glob> one, List<Glob> other) {
        return Stream.concat(one.stream(), other.stream()).toList();
    }

    /** Returns the account that an ARN names, or that owns the bucket. */
    private String owner(Glob resource, String otherwise) {
        String[] parts = resource.text().split(":", 6);
        if (parts.length > 4 && parts[4].matches("\\d{12}")) return parts[4];
        return surroundings.buckets().stream().filter(bucket -> resource.text().matches("arn:aws:s3:::\\Q" + bucket.getKey() + "\\E(/.*)?"))
                .map(Map.Entry::getValue).findFirst().orElse(otherwise);
    }

    private boolean isDenied(Holder holder, String owner, Right right) {
        var ofIdentity = holder.identity().stream()
                .flatMap(identity -> Stream.concat(identity.statements().stream(), identity.boundary().stream().flatMap(List::stream)))
                .filter(statement -> !statement.allow());
        return Stream.concat(ofIdentity, denials.stream().filter(statement -> statement.covers(right) && holder.alwaysMatches(statement)))
                .anyMatch(statement -> statement.covers(right) && statement.conditions().alwaysMatches(key -> holder.domain(key, owner)));
    }

    /** Limits a statement of a trust policy to its role. */
    private static Statement limitedToRole(Statement statement, String role) {
        return new Statement(statement.source(), false, statement.principals(), statement.notPrincipals(), statement.actions(),
                statement.notActions(), List.of(new Glob(role)), false, statement.conditions());
    }

    // ---- becoming another role of the same account, without assuming it

    /** Returns the holders that can be taken over, each with the step that does it. */
    private List<Map.Entry<Holder, Step>> takenOver(Holder holder, List<Reach> rights) {
        var taken = new ArrayList<Map.Entry<Holder, Step>>();
        // only a holder limited by policies gains from changing them, and no resource policy grants these actions
        holder.identity().flatMap(
                identity -> rights.stream().filter(reach -> SELF_SERVICE.stream().anyMatch(action -> may(reach, action))).findFirst())
                .ifPresent(reach -> {
                    var account = templates.landscape().accounts().stream().filter(known -> known.id().equals(holder.accountId()))
                            .findFirst().orElseThrow();
                    var anyPrincipal = new Holder(Kind.PRINCIPAL, "any principal of " + account.name(), account.id(),
                            Domain.of("arn:aws:iam::" + account.id() + ":*", "arn:aws:sts::" + account.id() + ":*"),
                            Domain.chosen(), Optional.empty(), Set.of(), surroundings);
                    taken.add(Map.entry(anyPrincipal,
                            new Step(holder.name(), reach.right().action().toString(), reach.right().resource().toString(),
                                    texts(reach.by()), "gives itself, or others, any rights in " + account.name())));
                });
        for (var other : policies.identities()) {
            boolean own = holder.identity().map(identity -> identity.arn().equals(other.arn()))
                    .orElse(other.accountId().equals(holder.accountId()));
            if (own || !other.resource().type().equals("AWS::IAM::Role")) continue;
            var there = rights.stream().filter(reach -> reach.accountId().equals(other.accountId())).toList();
            stepByPassingRole(holder, there, other).or(() -> stepByChangingCode(holder, there, other))
                    .ifPresent(step -> taken.add(Map.entry(holder(other, other.arn(), Domain.chosen(), Set.of()), step)));
        }
        return taken;
    }

    private static boolean may(Reach reach, String action) {
        var wanted = Glob.action(action);
        return reach.right().action().overlaps(wanted) && !wanted.coveredBy(reach.right().exceptActions());
    }

    private Optional<Step> stepByPassingRole(Holder holder, List<Reach> rights, Identity other) {
        var pass = rights.stream().filter(reach -> may(reach, "iam:PassRole") && reach.right().resource().overlaps(new Glob(other.arn()))
                && !new Glob(other.arn()).coveredBy(reach.right().exceptResources())).findFirst();
        if (pass.isEmpty()) return Optional.empty();
        for (String service : services(other)) {
            String prefix = service.replaceAll("\\..*", "").replaceAll("-.*", "");
            for (String verb : RUN_VERBS) {
                var run = rights.stream().filter(reach -> may(reach, prefix + ":" + verb)).findFirst();
                if (run.isPresent()) {
                    return Optional.of(new Step(holder.name(), "iam:PassRole, " + run.get().right().action(), other.arn(),
                            texts(Stream.concat(pass.get().by().stream(), run.get().by().stream()).distinct().toList()),
                            "passes the role to " + service + ", which runs the attacker's code"));
                }
            }
        }
        return Optional.empty();
    }

    private List<String> services(Identity role) {
        return policies.resourcePolicies().stream().filter(policy -> policy.trust().filter(role.arn()::equals).isPresent())
                .flatMap(policy -> policy.statements().stream()).filter(Statement::allow)
                .flatMap(statement -> statement.principals().stream()).filter(principal -> principal.kind().equals("Service"))
                .map(Statement.Principal::value).toList();
    }

    /** Returns a step that changes the code of a function or state machine that runs as the role. */
    private Optional<Step> stepByChangingCode(Holder holder, List<Reach> rights, Identity other) {
        for (var kind : List.of(List.of("AWS::Lambda::Function", "Role", "lambda:UpdateFunctionCode"),
                List.of("AWS::StepFunctions::StateMachine", "RoleArn", "states:UpdateStateMachine"))) {
            for (var runner : templates.ofType(kind.get(0)).filter(runner -> runner.text(kind.get(1)).equals(other.arn())).toList()) {
                String arn = runner.arn();
                var change = rights.stream().filter(reach -> may(reach, kind.get(2)) && reach.right().resource().overlaps(new Glob(arn)))
                        .findFirst();
                if (change.isPresent()) return Optional.of(new Step(holder.name(), kind.get(2), arn, texts(change.get().by()),
                        "makes it run the attacker's code as " + other.arn()));
            }
        }
        return Optional.empty();
    }
}
