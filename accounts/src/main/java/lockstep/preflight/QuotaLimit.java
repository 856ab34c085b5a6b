package lockstep.preflight;

import java.util.Map;
import java.util.function.ToLongFunction;
import lockstep.landscape.Account;
import tools.jackson.databind.JsonNode;

/**
 * Whether a quota is high enough for the landscape.
 *
 * @param what   what is counted
 * @param needed what the stacks of the landscape have at once when they are deployed
 * @param more   a note about the need, or empty
 * @param others counts what others use. For most quotas AWS does not tell, so they are compared as a whole
 */
record QuotaLimit(Account account, String what, String service, String code, double needed, String more,
        ToLongFunction<AccountReader> others) implements Check {
    @Override
    public String name() {
        return "quota: " + what;
    }

    @Override
    public Result of(AccountReader reader) {
        double limit = limit(reader);
        long used = others.applyAsLong(reader);
        String found = plain(limit) + (used == 0 ? "" : ", of which others use " + used), need = plain(needed) + more;
        if (used + needed <= limit) return Result.ok(found, need);
        return Result.wrong(found, need,
                "aws service-quotas request-service-quota-increase --service-code %s --quota-code %s --desired-value %s --profile %s"
                        .formatted(service, code, plain(Math.ceil(used + needed)), account.name()));
    }

    /** Returns the account's quota, or AWS's default if the account has none of its own. */
    private double limit(AccountReader reader) {
        Map<String, String> quota = Map.of("ServiceCode", service, "QuotaCode", code);
        JsonNode answer;
        try {
            answer = reader.json("servicequotas", "ServiceQuotasV20190624", "GetServiceQuota", quota);
        } catch (AccountReader.Refused e) {
            if (!e.code.equals("NoSuchResourceException")) throw e;
            answer = reader.json("servicequotas", "ServiceQuotasV20190624", "GetAWSDefaultServiceQuota", quota);
        }
        return answer.at("/Quota/Value").asDouble();
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }
}
