package lockstep.infra;

import java.util.List;
import lockstep.landscape.Names;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.certificatemanager.Certificate;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.logs.FilterPattern;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.logs.MetricFilter;
import software.constructs.Construct;

/**
 * Warns before certificates and revocation lists of a first hop expire. The alarms keep their state while nothing is measured, because a
 * first hop that is stopped still has the same files; one that should run has other alarms.
 */
final class Expiry extends Construct {
    private static final List<Integer> DAYS = List.of(30, 14, 3);
    /** Percent of a revocation list's lifetime. At zero, nobody is admitted. */
    private static final List<Integer> PERCENT = List.of(25, 0);

    private final OperationsTopic operations;
    private final String host;

    private Expiry(Construct scope, OperationsTopic operations, String host) {
        super(scope, "Expiry");
        this.operations = operations;
        this.host = host;
    }

    /** Watches the files of production's first hop, by the log of the settings container. */
    static void ofFiles(Construct scope, OperationsTopic operations, String host, LogGroup logs) {
        var expiry = new Expiry(scope, operations, host);
        expiry.days("ServerCertificate", "the server's certificate", expiry.measured(logs, "ServerCertificate", "server.pem", "days"));
        expiry.days("ClientAuthority", "an authority of clients", expiry.measured(logs, "ClientAuthority", "client-authority.pem", "days"));
        var lists = expiry.measured(logs, "RevocationList", "revoked.pem", "percent");
        PERCENT.forEach(percent -> operations.alarmBelow(expiry, "RevocationList" + percent,
                host + (percent == 0 ? ": a revocation list has expired; no client of its authority is admitted"
                        : ": a revocation list has less than %d %% of its lifetime left".formatted(percent)),
                lists, percent));
    }

    /** Watches the certificate of a load balancer, which ACM should have renewed long before the first alarm. */
    static void ofCertificate(Construct scope, OperationsTopic operations, String host, String arn) {
        var expiry = new Expiry(scope, operations, host);
        expiry.days("Certificate", "the load balancer's certificate",
                Certificate.fromCertificateArn(expiry, "Imported", arn).metricDaysToExpiry());
    }

    private void days(String id, String what, IMetric metric) {
        DAYS.forEach(days -> operations.alarmBelow(this, id + days, "%s: %s expires in less than %d days".formatted(host, what, days),
                metric, days));
    }

    private Metric measured(LogGroup logs, String name, String file, String unit) {
        MetricFilter.Builder.create(this, name).logGroup(logs).metricNamespace(Names.proxyMetrics()).metricName(name)
                .metricValue("$." + unit).filterPattern(FilterPattern.stringValue("$.expires", "=", file)).build();
        // every task logs every ten minutes
        return Metric.Builder.create().namespace(Names.proxyMetrics()).metricName(name).statistic("Minimum").period(Duration.hours(1))
                .build();
    }
}
