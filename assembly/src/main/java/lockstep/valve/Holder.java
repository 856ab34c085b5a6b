package lockstep.valve;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lockstep.valve.Policies.Identity;
import lockstep.valve.Statement.Principal;

/**
 * A party that can make requests.
 *
 * @param name       the display name
 * @param accountId  its account; empty for outsiders, who are in no account of the landscape
 * @param arn        the possible values of {@code aws:PrincipalArn}
 * @param externalId the possible values of {@code sts:ExternalId}
 * @param identity   the role whose policies limit the holder; empty if it can give itself any policy
 * @param readerOf   the source accounts whose reader role it may assume
 */
record Holder(Kind kind, String name, String accountId, Domain arn, Domain externalId, Optional<Identity> identity, Set<String> readerOf,
        Surroundings surroundings) {
    /**
     * PRINCIPAL: a principal of an account. SERVICE: an AWS service that acts on instructions from that account. TOKEN: the owner of a
     * token of an identity provider that serves many projects.
     */
    enum Kind { PRINCIPAL, SERVICE, TOKEN }

    /** @param accountIds the accounts of the landscape @param buckets the buckets of the templates with the id of their account */
    record Surroundings(List<String> accountIds, List<Map.Entry<String, String>> buckets) {}

    private static final Pattern ACCOUNT_OF_PRINCIPAL = Pattern.compile("^(?:arn:aws[^:]*:(?:iam|sts)::)?(\\d{12})(?::(.*))?$");
    private static final List<String> CHOSEN = List.of("aws:requesttag/", "aws:tagkeys", "aws:useragent", "aws:referer",
            "sts:rolesessionname", "sts:sourceidentity", "sns:endpoint", "sns:protocol",
            "s3:prefix", "s3:delimiter", "s3:max-keys", "s3:x-amz-", "lambda:functionurlauthtype", "kms:encryptioncontext",
            "kms:granteeprincipal", "kms:granttype");

    boolean isOutsider() {
        return accountId.isEmpty();
    }

    /** Returns the domain of a condition key in the holder's requests; empty if it cannot be determined. */
    Optional<Domain> domain(String key, String resourceAccountId) {
        boolean service = kind == Kind.SERVICE;
        return switch (key) {
            case "aws:principalarn" -> Optional.of(service ? Domain.ABSENT : arn);
            case "aws:principalaccount" -> Optional.of(service ? Domain.ABSENT : account());
            // it is also set when a service calls on someone's behalf
            case "kms:calleraccount" -> Optional.of(account());
            case "aws:sourceaccount" -> Optional.of(service ? account() : Domain.ABSENT);
            case "aws:sourceowner" -> Optional.of(account());
            case "aws:sourcearn" -> Optional.of(service ? new Domain(
                    Stream.of("arn:aws:*:*:" + (isOutsider() ? "*" : accountId) + ":*", "arn:aws:s3:::*").map(Glob::new).toList(),
                    Stream.concat(others().map(id -> "arn:aws:*:*:" + id + ":*"),
                            surroundings.buckets().stream().filter(bucket -> !bucket.getValue().equals(accountId))
                                    .map(bucket -> "arn:aws:s3:::" + bucket.getKey()))
                            .map(Glob::new).toList(),
                    false) : Domain.ABSENT);
            case "kms:encryptioncontext:aws:logs:arn" ->
                    Optional.of(service ? Domain.of("arn:aws:logs:*:" + (isOutsider() ? "*" : accountId) + ":*")
                            .except(others().map(id -> "arn:aws:logs:*:" + id + ":*").toList()) : Domain.chosen());
            case "aws:securetransport", "aws:viaawsservice" -> Optional.of(Domain.of("true", "false"));
            case "aws:principalisawsservice" -> Optional.of(Domain.of(service ? "true" : "false"));
            case "aws:resourceaccount" -> Optional.of(Domain.of(resourceAccountId));
            case "sts:externalid" -> Optional.of(externalId);
            default -> CHOSEN.stream().anyMatch(key::startsWith) || key.startsWith("aws:principaltag/") && identity.isEmpty()
                    ? Optional.of(Domain.chosen()) : Optional.empty();
        };
    }

    private Stream<String> others() {
        return surroundings.accountIds().stream().filter(id -> !id.equals(accountId));
    }

    private Domain account() {
        return isOutsider() ? Domain.of("????????????").orAbsent().except(surroundings.accountIds()) : Domain.of(accountId);
    }

    enum Match { NO, ACCOUNT, DIRECT }

    /** Returns how a statement can apply to the holder: directly, or through its whole account, which must then grant access as well. */
    Match mayMatch(Statement statement) {
        if (statement.notPrincipals())
            return statement.principals().stream().allMatch(this::alwaysMatches) && !statement.principals().isEmpty() ? Match.NO
                    : Match.DIRECT;
        // a resource policy without principals has an unknown meaning, so it counts as matching
        if (statement.principals().isEmpty()) return Match.DIRECT;
        return statement.principals().stream().map(this::mayMatch).max(Enum::compareTo).orElse(Match.NO);
    }

    /** Reports whether a statement applies to everything that the holder can be. */
    boolean alwaysMatches(Statement statement) {
        return statement.notPrincipals() ? statement.principals().stream().allMatch(principal -> mayMatch(principal) == Match.NO)
                : statement.principals().stream().anyMatch(this::alwaysMatches);
    }

    private Match mayMatch(Principal principal) {
        if (principal.isAnyone()) return kind == Kind.TOKEN ? Match.NO : Match.DIRECT;
        return switch (principal.kind().toLowerCase(Locale.ROOT)) {
            case "service" -> kind == Kind.SERVICE ? Match.DIRECT : Match.NO;
            // a SAML provider is the company's own directory
            case "federated" -> kind == Kind.TOKEN && !principal.value().contains(":saml-provider/") ? Match.DIRECT : Match.NO;
            case "aws" -> kind == Kind.PRINCIPAL ? ofAccount(principal.value()) : Match.NO;
            default -> kind == Kind.PRINCIPAL ? Match.DIRECT : Match.NO; // the owner of a canonical user id is unknown
        };
    }

    private Match ofAccount(String value) {
        var matcher = ACCOUNT_OF_PRINCIPAL.matcher(value);
        // the id of a deleted principal, or not a principal
        if (!matcher.matches()) return value.contains("*") && arn.canBe(new Glob(value), false) ? Match.DIRECT : Match.NO;
        String id = matcher.group(1), rest = matcher.group(2);
        if (isOutsider() ? surroundings.accountIds().contains(id) : !id.equals(accountId)) return Match.NO;
        if (rest == null || rest.equals("root")) return Match.ACCOUNT;
        return isOutsider() || arn.canBe(new Glob(asRole(value)), true) ? Match.DIRECT : Match.NO;
    }

    private boolean alwaysMatches(Principal principal) {
        if (principal.value().equals("*")) return true;
        if (kind != Kind.PRINCIPAL || isOutsider() || !principal.kind().equals("AWS")) return false;
        var matcher = ACCOUNT_OF_PRINCIPAL.matcher(principal.value());
        if (!matcher.matches() || !matcher.group(1).equals(accountId)) return false;
        return matcher.group(2) == null || matcher.group(2).equals("root") || !arn.canBeNone(List.of(new Glob(asRole(principal.value()))));
    }

    /** Returns the ARN of the role for the ARN of one of its sessions. */
    private static String asRole(String arn) {
        return arn.replaceFirst("^arn:aws:sts::(\\d{12}):assumed-role/([^/]+)/.*$", "arn:aws:iam::$1:role/$2");
    }
}
