package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import lockstep.landscape.DataSet;
import lockstep.landscape.Names;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.watch.SourceActivity;
import lockstep.masterdata.watch.Starter;
import lockstep.masterdata.watch.Starter.Failure;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionAlreadyExistsException;
import software.amazon.awssdk.services.sfn.model.ExecutionListItem;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;

/** Starts a sync automatically if it is due. */
public final class StartSync extends JsonFunction<StartSync.Event, Starter.Answer> {
    /**
     * @param byClock whether to start a sync now; otherwise only if the source's tables have changed but not since the last call, {@code
     * every} ago
     */
    public record Event(DataSet dataSet, String bucket, String dumpMachineArn, Duration every, boolean byClock) {}

    private static final class Sfn {
        static final SfnClient CLIENT = SfnClient.builder().httpClient(Clients.Http.CLIENT).build();
    }

    private record Account(Event event) implements Starter.Environment {
        /** The errors of a sync that a person rejected, or that was held for too long. */
        private static final Set<String> BY_HAND = Set.of("Rejected", "States.Timeout");

        @Override
        public SourceActivity tables() {
            return ShardFunction.ask(new ReportStatus.Event(event.dataSet().source(), event.dataSet(), new ReportStatus.Activity()),
                    SourceActivity.class);
        }

        @Override
        public List<String> dumps() {
            return Sfn.CLIENT.listExecutionsPaginator(r -> r.stateMachineArn(event.dumpMachineArn()).statusFilter(ExecutionStatus.RUNNING))
                    .executions().stream().map(ExecutionListItem::name).filter(name -> name.startsWith(execution("")))
                    .map(name -> name.substring(execution("").length())).toList();
        }

        @Override
        public boolean start(String syncId) {
            try {
                Sfn.CLIENT.startExecution(r -> r.stateMachineArn(event.dumpMachineArn()).name(execution(syncId)).input("{}"));
                return true;
            } catch (ExecutionAlreadyExistsException e) {
                return false;
            }
        }

        private String execution(String syncId) {
            return Names.execution(event.dataSet().name(), syncId);
        }

        @Override
        public Optional<Failure> failure(String syncId) {
            var dump = Sfn.CLIENT.describeExecution(r -> r.executionArn(Names.executionArn(event.dumpMachineArn(), execution(syncId))));
            return switch (dump.status()) {
                case FAILED, TIMED_OUT -> Optional.of(new Failure(BY_HAND.contains(dump.error()), dump.stopDate()));
                case ABORTED -> Optional.of(new Failure(true, dump.stopDate()));
                default -> Optional.empty();
            };
        }
    }

    public StartSync() {
        super(Event.class);
    }

    @Override
    Starter.Answer handle(Event event, Instant deadline) {
        var starter = new Starter(new Account(event), Clients.store(event.bucket()), event.dataSet().name(), event.every());
        return event.byClock() ? starter.byClock(Instant.now()) : starter.whenQuiet(Instant.now());
    }
}
