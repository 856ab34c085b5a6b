package lockstep.masterdata.engine;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A proxy between clients and a PostgreSQL server, with which a test can inspect each message before it is sent, and cut the connection.
 */
final class TestingWire implements AutoCloseable {
    enum Verdict { FORWARD, CUT, CUT_BEHIND }

    /**
     * @param type       the protocol's message type, such as {@code P} for a statement and {@code d} for COPY data; {@code <} for
     *         everything from the server
     * @param text       the text of a statement
     * @param serverSees the client's port as the server sees it
     */
    record Message(char type, String text, int serverSees) {}

    interface Watch {
        Verdict see(Message message);
    }

    private final ServerSocket listening;
    private final int server;
    volatile Watch watch = message -> Verdict.FORWARD;

    TestingWire(int server) {
        this.server = server;
        try {
            listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofPlatform().daemon().start(this::listen);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void listen() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Thread.ofPlatform().daemon().start(() -> join(client));
            } catch (IOException e) {
                if (!listening.isClosed()) throw new UncheckedIOException(e);
            }
        }
    }

    private void join(Socket client) {
        try (client; var there = new Socket(InetAddress.getLoopbackAddress(), server)) {
            client.setTcpNoDelay(true);
            there.setTcpNoDelay(true);
            var answers = Thread.ofPlatform().daemon().start(() -> answers(there, client));
            requests(client, there);
            answers.join();
        } catch (IOException e) {
            // the client sees it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void requests(Socket client, Socket there) throws IOException {
        try (client; there) {
            var in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
            var out = new DataOutputStream(new BufferedOutputStream(there.getOutputStream()));
            for (boolean first = true;; first = false) {
                int type = first ? 0 : in.readUnsignedByte();
                int length = in.readInt();
                byte[] body = in.readNBytes(length - 4);
                var verdict = first ? Verdict.FORWARD
                        : watch.see(new Message((char) type, type == 'P' ? statement(body) : "", there.getLocalPort()));
                if (verdict == Verdict.CUT) return;
                if (!first) out.writeByte(type);
                out.writeInt(length);
                out.write(body);
                if (in.available() == 0 || verdict == Verdict.CUT_BEHIND) out.flush();
                if (verdict == Verdict.CUT_BEHIND) return;
            }
        }
    }

    private void answers(Socket there, Socket client) {
        try (client; there) {
            byte[] chunk = new byte[8 << 10];
            for (int read; (read = there.getInputStream().read(chunk)) > 0;) {
                if (watch.see(new Message('<', "", there.getLocalPort())) != Verdict.FORWARD) return;
                client.getOutputStream().write(chunk, 0, read);
            }
        } catch (IOException e) {
            // the client sees it
        }
    }

    /** Returns the second of two zero-terminated texts. */
    private static String statement(byte[] body) {
        int from = 0;
        while (body[from] != 0) from++;
        int to = from + 1;
        while (body[to] != 0) to++;
        return new String(Arrays.copyOfRange(body, from + 1, to), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
