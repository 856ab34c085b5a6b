package lockstep.preflight;

import java.util.Map;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.landscape.Proxy;

/** Whether a load balancer's certificate is issued, in the account and region of the balancer, and for its names. */
record Certificate(Account account, String region, Proxy proxy) implements Check {
    @Override
    public String name() {
        return "certificate of " + proxy.host();
    }

    @Override
    public Result of(AccountReader reader) {
        String arn = proxy.certificate().orElseThrow(), needed = "issued for %1$s and *.%1$s".formatted(proxy.host());
        String request = ("aws acm request-certificate --domain-name %1$s --subject-alternative-names '*.%1$s' --validation-method DNS "
                + "--region %2$s --profile %3$s, and write its ARN into lockstep.yaml").formatted(proxy.host(), region, account.name());
        var parts = arn.split(":");
        if (!parts[3].equals(region) || !parts[4].equals(account.id()))
            return Result.wrong("in account " + parts[4] + ", " + parts[3], "in account " + account.id() + ", " + region, request);
        try {
            var found = reader.json("acm", "CertificateManager", "DescribeCertificate", Map.of("CertificateArn", arn)).path("Certificate");
            String status = found.path("Status").asString("");
            var names = Stream.concat(Stream.of(found.path("DomainName")), found.path("SubjectAlternativeNames").valueStream())
                    .map(name -> name.asString("")).distinct().toList();
            if (status.equals("PENDING_VALIDATION")) return Result.wrong(status, needed,
                    "create the records that 'aws acm describe-certificate --certificate-arn %s --profile %s' shows, and wait"
                            .formatted(arn, account.name()));
            boolean covered = names.contains("*." + proxy.host()) && (names.contains(proxy.host())
                    || names.contains(proxy.host().replaceFirst("^[^.]+", "*")));
            return status.equals("ISSUED") && covered ? Result.ok("issued", needed)
                    : Result.wrong(status + " for " + String.join(", ", names), needed, request);
        } catch (AccountReader.Refused e) {
            if (e.code.equals("ResourceNotFoundException")) return Result.wrong("no such certificate", needed, request);
            throw e;
        }
    }
}
