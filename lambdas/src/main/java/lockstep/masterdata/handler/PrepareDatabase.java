package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase;

/** Creates the reader's and writer's logins of a shard with their grants. It must run after each migration of the product. */
public final class PrepareDatabase extends JsonFunction<PrepareDatabase.Event, PrepareDatabase.Answer> {
    /** @param shard a shard of this account */
    public record Event(String shard, List<DataSet> dataSets) {}

    public record Answer(String reader, String writer) {}

    public PrepareDatabase() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        var reader = Clients.login(Names.secret(event.shard(), DatabaseUser.READER));
        var writer = Clients.login(Names.secret(event.shard(), DatabaseUser.WRITER));
        var administrator = Clients.administrator(Names.secret(event.shard(), DatabaseUser.ADMIN));
        new DatabaseRoles(new PostgresDatabase(administrator)).prepare(reader, writer, event.dataSets());
        return new Answer(reader.username(), writer.username());
    }
}
