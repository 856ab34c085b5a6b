package lockstep.masterdata.handler;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import lockstep.landscape.Check;
import lockstep.landscape.DataSet;
import lockstep.landscape.DataSetMetric;
import lockstep.landscape.Names;
import lockstep.landscape.ShardMetric;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.aws.SourceReader;
import lockstep.masterdata.check.Queries;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.restore.ShardReport.Rows;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.watch.Standing.Remedy;
import lockstep.masterdata.watch.Watcher;
import lockstep.masterdata.watch.Watcher.StartedRestore;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionAlreadyExistsException;
import software.amazon.awssdk.services.sfn.model.ExecutionListItem;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sns.SnsClient;

/** Accesses an account's shards with the function's own role, and the source's manifests with the reader role. */
record WatchedAccount(SourceReader source, DataSet dataSet, List<Check> checks, String restoreMachineArn, String operationsTopicArn)
        implements Watcher.Environment {
    private static final class Sfn {
        static final SfnClient CLIENT = SfnClient.builder().httpClient(Clients.Http.CLIENT).build();
    }

    private static final class Sns {
        static final SnsClient CLIENT = SnsClient.builder().httpClient(Clients.Http.CLIENT).build();
    }

    private static final class CloudWatch {
        static final CloudWatchClient CLIENT = CloudWatchClient.builder().httpClient(Clients.Http.CLIENT).build();
    }

    @Override
    public Optional<Latest> newest() {
        return Latest.read(source.objects("watch", List.of(SyncPaths.latest(dataSet.name()))), dataSet.name());
    }

    @Override
    public Manifest manifest(String syncId) {
        String key = SyncPaths.manifest(dataSet.name(), syncId);
        try (var access = source.manifest(syncId, key)) {
            return new ManifestReader(access.store(), access.signature()).read(key, dataSet, syncId);
        }
    }

    @Override
    public ShardReport report(String shard, boolean rows) {
        return ShardFunction.ask(new ReportStatus.Event(shard, dataSet, new ReportStatus.Report(rows ? Rows.ALL : Rows.WRITTEN)),
                ShardReport.class);
    }

    @Override
    public Queries.Results check(String shard) {
        return ShardFunction.ask(new ReportStatus.Event(shard, dataSet, new ReportStatus.Checks(checks)), Queries.Results.class);
    }

    @Override
    public Set<String> running() {
        return Sfn.CLIENT.listExecutionsPaginator(r -> r.stateMachineArn(restoreMachineArn).statusFilter(ExecutionStatus.RUNNING))
                .executions().stream().map(ExecutionListItem::name).filter(name -> name.startsWith(execution("")))
                .map(name -> name.substring(execution("").length())).collect(Collectors.toSet());
    }

    private String execution(String name) {
        return Names.execution(dataSet.name(), name);
    }

    /** The input has the fields of a notification, plus mode and shard. */
    @Override
    public boolean start(String execution, Remedy remedy, String shard) {
        var input = Map.of("dataSet", dataSet.name(), "syncId", remedy.syncId(), "bucket", source.bucket(), "manifestKey",
                SyncPaths.manifest(dataSet.name(), remedy.syncId()),
                "mode", remedy.mode(), "shard", shard);
        try {
            Sfn.CLIENT.startExecution(
                    r -> r.stateMachineArn(restoreMachineArn).name(execution(execution)).input(Json.MAPPER.writeValueAsString(input)));
            return true;
        } catch (ExecutionAlreadyExistsException e) {
            return false;
        }
    }

    @Override
    public void notifyStarted(StartedRestore restore) {
        Sns.CLIENT.publish(r -> r.topicArn(operationsTopicArn).message(Json.MAPPER.writeValueAsString(restore)));
    }

    @Override
    public void measure(String shard, Map<ShardMetric, Double> values) {
        var data = values.entrySet().stream()
                .map(v -> MetricDatum.builder().metricName(v.getKey().word()).unit(unit(v.getKey())).value(v.getValue()).build()).toList();
        CloudWatch.CLIENT.putMetricData(r -> r.namespace(Names.metrics(dataSet.name(), shard)).metricData(data));
    }

    @Override
    public void measure(Map<DataSetMetric, Double> values) {
        var data = values.entrySet().stream().map(v -> MetricDatum.builder().metricName(v.getKey().word()).value(v.getValue()).build())
                .toList();
        CloudWatch.CLIENT.putMetricData(r -> r.namespace(Names.metrics(dataSet.name())).metricData(data));
    }

    private static StandardUnit unit(ShardMetric metric) {
        return switch (metric) {
            case FRESHNESS, BEHIND -> StandardUnit.SECONDS;
            case DRIFT, UNREACHABLE, CHECKS_FAILED -> StandardUnit.COUNT;
        };
    }
}
