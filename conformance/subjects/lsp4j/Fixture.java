import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.eclipse.lsp4j.jsonrpc.Launcher;
import org.eclipse.lsp4j.jsonrpc.RemoteEndpoint;
import org.eclipse.lsp4j.jsonrpc.ResponseErrorException;
import org.eclipse.lsp4j.jsonrpc.json.JsonRpcMethod;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseError;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseErrorCode;
import org.eclipse.lsp4j.jsonrpc.services.JsonNotification;
import org.eclipse.lsp4j.jsonrpc.services.JsonRequest;

/**
 * The fixture methods on lsp4j.jsonrpc, the library below Eclipse's language servers.
 *
 * <p>Owns: the handlers and the lifecycle. Frames, ids, dispatch and cancel are the library's own; it calls all handlers
 * on one thread, so none of them waits.
 */
public final class Fixture {
  private static final int UNSUPPORTED_VERSION = -32017;
  private static final Pattern VERSION = Pattern.compile("(0|[1-9][0-9]{0,4})\\.(0|[1-9][0-9]{0,4})");
  private static final List<String> METHODS =
      List.of("echo", "sleep", "fail", "error", "repeat", "note", "noted", "call", "notify");

  private enum State { CREATED, INITIALIZING, READY, STOPPING }

  /** What the host serves is named at run time. */
  private interface Host {}

  /** A launcher whose known methods can grow: lsp4j reads the result of one that it does not know as null. */
  private static final class OpenLauncher extends Launcher.Builder<Host> {
    private final Map<String, JsonRpcMethod> methods = new ConcurrentHashMap<>();

    @Override
    protected Map<String, JsonRpcMethod> getSupportedMethods() {
      methods.putAll(super.getSupportedMethods());
      return methods;
    }

    void know(String method) {
      methods.putIfAbsent(method, JsonRpcMethod.request(method, JsonElement.class, JsonElement.class));
    }
  }

  private final OpenLauncher builder = new OpenLauncher();
  private RemoteEndpoint host;
  private State state = State.CREATED;
  private List<JsonElement> values = new ArrayList<>();
  private final Set<CompletableFuture<?>> open = ConcurrentHashMap.newKeySet();

  public static void main(String[] arguments) throws Exception {
    new Fixture().serve();
  }

  private void serve() throws Exception {
    builder
        .setLocalService(this)
        .setRemoteInterface(Host.class)
        .setInput(System.in)
        .setOutput(System.out)
        .configureGson(GsonBuilder::serializeNulls);
    Launcher<Host> launcher = builder.create();
    host = launcher.getRemoteEndpoint();
    launcher.startListening().get();
    exit();
  }

  private static ResponseErrorException refusal(int code, String message, Object data) {
    return new ResponseErrorException(new ResponseError(code, message, data));
  }

  private static ResponseErrorException refusal(ResponseErrorCode code, String message) {
    return refusal(code.getValue(), message, null);
  }

  private void requireReady() {
    if (state != State.READY) {
      throw refusal(ResponseErrorCode.ServerNotInitialized, "the connection is not ready");
    }
  }

  private static <T> CompletableFuture<T> done(T result) {
    return CompletableFuture.completedFuture(result);
  }

  @JsonRequest
  public CompletableFuture<Object> initialize(JsonObject params) {
    if (state != State.CREATED) {
      throw refusal(ResponseErrorCode.InvalidRequest, "initialize was sent before");
    }
    JsonElement told = params.get("protocolVersion");
    boolean isString = told != null && told.isJsonPrimitive() && told.getAsJsonPrimitive().isString();
    if (!isString || !VERSION.matcher(told.getAsString()).matches()) {
      throw refusal(ResponseErrorCode.InvalidParams, "protocolVersion is two numbers such as 1.0");
    }
    if (!told.getAsString().startsWith("1.")) {
      throw refusal(UNSUPPORTED_VERSION, "this plugin speaks version 1", Map.of("supported", List.of("1.0")));
    }
    state = State.INITIALIZING;
    return done(
        Map.of(
            "protocolVersion", "1.0",
            "plugin", Map.of("name", "fixture-lsp4j", "version", "1.0.0"),
            "capabilities", Map.of("concurrency", 16),
            "provides", List.of(Map.of("service", "conformance", "version", "1.0", "methods", METHODS))));
  }

  @JsonNotification
  public void initialized(JsonObject params) {
    if (state == State.INITIALIZING) {
      state = State.READY;
    }
  }

  @JsonRequest
  public CompletableFuture<Object> ping(JsonObject params) {
    return done(null);
  }

  @JsonRequest
  public CompletableFuture<Object> shutdown(JsonObject params) {
    requireReady();
    state = State.STOPPING;
    // A future answers as it is cancelled.
    open.forEach(future -> future.cancel(true));
    return done(null);
  }

  @JsonNotification
  public void exit(JsonObject params) {
    exit();
  }

  private void exit() {
    System.exit(state == State.STOPPING ? 0 : 1);
  }

  @JsonRequest("conformance/echo")
  public CompletableFuture<JsonObject> echo(JsonObject params) {
    requireReady();
    return done(params == null ? new JsonObject() : params);
  }

  @JsonRequest("conformance/sleep")
  public CompletableFuture<Object> sleep(JsonObject params) {
    requireReady();
    CompletableFuture<Object> sleeping = new CompletableFuture<>();
    return untilAnswered(sleeping.completeOnTimeout(null, params.get("ms").getAsLong(), TimeUnit.MILLISECONDS));
  }

  private <T> CompletableFuture<T> untilAnswered(CompletableFuture<T> future) {
    open.add(future);
    future.whenComplete((result, error) -> open.remove(future));
    return future;
  }

  @JsonRequest("conformance/fail")
  public CompletableFuture<Object> fail(JsonObject params) {
    requireReady();
    throw new IllegalStateException("this handler always fails");
  }

  @JsonRequest("conformance/error")
  public CompletableFuture<Object> error(JsonObject params) {
    requireReady();
    throw refusal(params.get("code").getAsInt(), params.get("message").getAsString(), params.get("data"));
  }

  @JsonRequest("conformance/repeat")
  public CompletableFuture<Object> repeat(JsonObject params) {
    requireReady();
    return done(Map.of("text", params.get("text").getAsString().repeat(params.get("times").getAsInt())));
  }

  @JsonNotification("conformance/note")
  public void note(JsonObject params) {
    values.add(params.get("value"));
  }

  @JsonRequest("conformance/noted")
  public CompletableFuture<Object> noted(JsonObject params) {
    requireReady();
    List<JsonElement> told = values;
    values = new ArrayList<>();
    return done(Map.of("values", told));
  }

  @JsonRequest("conformance/call")
  public CompletableFuture<JsonObject> call(JsonObject params) {
    requireReady();
    String method = params.get("method").getAsString();
    builder.know(method);
    return untilAnswered(host.request(method, paramsOf(params)).handle(Fixture::outcome));
  }

  private static JsonObject outcome(Object result, Throwable error) {
    JsonObject told = new JsonObject();
    if (error == null) {
      told.add("result", result == null ? JsonNull.INSTANCE : (JsonElement) result);
      return told;
    }
    if (!(error instanceof ResponseErrorException refused)) {
      throw new CompletionException(error);
    }
    ResponseError answered = refused.getResponseError();
    JsonObject members = new JsonObject();
    members.addProperty("code", answered.getCode());
    members.addProperty("message", answered.getMessage());
    if (answered.getData() != null) {
      members.add("data", (JsonElement) answered.getData());
    }
    told.add("error", members);
    return told;
  }

  @JsonRequest("conformance/notify")
  public CompletableFuture<Object> sendNotification(JsonObject params) {
    requireReady();
    host.notify(params.get("method").getAsString(), paramsOf(params));
    return done(null);
  }

  private static JsonElement paramsOf(JsonObject asked) {
    return asked.has("params") ? asked.get("params") : new JsonObject();
  }
}
