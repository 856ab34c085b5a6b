package lockstep.masterdata.handler;

import java.time.Duration;
import lockstep.landscape.Names;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import tools.jackson.databind.DeserializationFeature;

/** Invokes the function that reports on the shards of this account. */
final class ShardFunction {
    /** The timeout is long because reading every row of a shard takes minutes, and nothing is sent until then. */
    private static final LambdaClient CLIENT = LambdaClient.builder()
            .httpClient(Apache5HttpClient.builder().socketTimeout(Duration.ofMinutes(15)).tcpKeepAlive(true).build()).build();

    private ShardFunction() {}

    /** @param type the type of the answer to this request */
    static <T> T ask(ReportStatus.Event event, Class<T> type) {
        var answer = CLIENT.invoke(
                r -> r.functionName(Names.reportStatus()).payload(SdkBytes.fromByteArray(Json.MAPPER.writeValueAsBytes(event))));
        if (answer.functionError() != null) throw new Fault.Unexpected(Causes.message(answer.payload().asUtf8String()), null);
        // JsonFunction adds fields to the answer
        return Json.MAPPER.readerFor(type).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .readValue(answer.payload().asByteArrayUnsafe());
    }
}
