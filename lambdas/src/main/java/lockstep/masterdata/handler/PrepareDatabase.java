package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.postgres.DatabaseRoles;

/** Creates the reader's and writer's logins of a shard with their grants. It must run after each migration of the product. */
public final class PrepareDatabase extends JsonFunction<PrepareDatabase.Event, PrepareDatabase.Answer> {
    public record Event(List<DataSet> dataSets) {}

    public record Answer(String reader, String writer) {}

    /** The ARNs of the shard's secrets. */
    public record Configuration(String adminSecretArn, String readerSecretArn, String writerSecretArn) {
        static Configuration ofEnvironment() {
            return new Configuration(System.getenv("ADMIN_SECRET_ARN"), System.getenv("READER_SECRET_ARN"),
                    System.getenv("WRITER_SECRET_ARN"));
        }
    }

    private final Configuration configuration;

    public PrepareDatabase() {
        super(Event.class);
        this.configuration = Configuration.ofEnvironment();
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        var reader = Clients.login(configuration.readerSecretArn());
        var writer = Clients.login(configuration.writerSecretArn());
        new DatabaseRoles(Clients.database(configuration.adminSecretArn())).prepare(reader, writer, event.dataSets());
        return new Answer(reader.username(), writer.username());
    }
}
