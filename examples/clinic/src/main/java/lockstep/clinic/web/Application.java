package lockstep.clinic.web;

import java.time.Duration;
import java.util.function.Predicate;
import java.util.logging.Logger;
import lockstep.clinic.configuration.Features;
import lockstep.clinic.configuration.ServeConfiguration;
import lockstep.clinic.demo.Inquiries;
import lockstep.clinic.demo.SalesTopic;
import lockstep.clinic.demo.Visitors;
import lockstep.clinic.demo.Workers;
import lockstep.clinic.store.Accounts;
import lockstep.clinic.store.Database;
import lockstep.clinic.store.MasterData;
import lockstep.clinic.store.Passwords;
import lockstep.clinic.store.PublishedAssets;
import lockstep.clinic.store.Records;

/** The application of one shard, assembled from its configuration. */
public final class Application implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Application.class.getName());
    private static final Duration EXPIRE_EVERY = Duration.ofMinutes(1);
    private static final Duration TELL_EVERY = Duration.ofSeconds(5);

    private final ServeConfiguration configuration;
    private final Database database;
    private final Visitors visitors;
    private final Inquiries inquiries;
    private final Workers workers = new Workers();
    private final Server server;

    public Application(ServeConfiguration configuration, Server.Stopping stopping) {
        this.configuration = configuration;
        database = new Database(configuration.database(), configuration.databaseAuthority());
        var passwords = new Passwords();
        var masterData = new MasterData(database);
        visitors = new Visitors(database, passwords);
        inquiries = new Inquiries(database);
        var assets = Assets.load();
        var site = new Site(Features.of(configuration.edition()), new Accounts(database, passwords), masterData, configuration.sessionKey(),
                assets);
        server = new Server(configuration.listenAddress(), configuration.port(), configuration.healthPort(), stopping, site,
                database::answers, config -> {
                    assets.route(config.routes, new PublishedAssets(database));
                    new LoginPages(site).route(config.routes);
                    new PatientPages(site, new Records(database), masterData).route(config.routes);
                    new DemoPages(site, visitors, inquiries, passwords).route(config.routes);
                });
    }

    public void start() {
        server.start();
        if (Features.of(configuration.edition()).tenantExpiry()) workers.expire(visitors, configuration.tenantsExpireAfter(), EXPIRE_EVERY);
        configuration.inquiryTopic().ifPresent(topic -> {
            Predicate<Inquiries.Inquiry> sales = new SalesTopic(topic, configuration.region().orElseThrow(), configuration.endpoint());
            workers.tell(inquiries, sales, TELL_EVERY);
        });
        LOG.info("shard " + configuration.shard() + ", release " + configuration.release() + ": listening on "
                + configuration.listenAddress() + ":" + server.port());
    }

    public int port() {
        return server.port();
    }

    public int healthPort() {
        return server.healthPort();
    }

    @Override
    public void close() {
        server.close();
        workers.close();
        database.close();
    }
}
