package lockstep.preflight;

import java.util.Map;
import lockstep.landscape.Account;

/**
 * Whether {@code cdk bootstrap} has prepared the account, with a version that is new enough.
 *
 * @param parameter where it stores the version
 */
record Bootstrapped(Account account, String region, String parameter, int version) implements Check {
    @Override
    public String name() {
        return "cdk bootstrap";
    }

    @Override
    public Result of(AccountReader reader) {
        String needed = "version " + version + " or later",
                remedy = "npx cdk bootstrap aws://%s/%s --profile %s".formatted(account.id(), region, account.name());
        try {
            int found = reader.json("ssm", "AmazonSSM", "GetParameter", Map.of("Name", parameter)).at("/Parameter/Value").asInt(0);
            return found >= version ? Result.ok("version " + found, needed) : Result.wrong("version " + found, needed, remedy);
        } catch (AccountReader.Refused e) {
            if (e.code.equals("ParameterNotFound")) return Result.wrong("not bootstrapped", needed, remedy);
            throw e;
        }
    }
}
