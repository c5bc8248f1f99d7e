import java.nio.file.*;
import java.util.*;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.ingest.common.IngestCommonPlugin;
import org.opensearch.join.ParentJoinPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/** OsNode HOME HTTP_PORT [setting=value ...]: an OpenSearch on loopback until stdin ends. */
public class OsNode extends Node {
  private static final List<Class<? extends Plugin>> PLUGINS = List.of(
      Netty4Plugin.class, ReindexPlugin.class, MapperExtrasPlugin.class,
      IngestCommonPlugin.class, ParentJoinPlugin.class);

  OsNode(Settings settings) {
    super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node-1"),
        PLUGINS, true);
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("opensearch.set.netty.runtime.available.processors", "false");
    Path home = Paths.get(arguments[0]).toAbsolutePath();
    Files.createDirectories(home);
    Settings.Builder settings = Settings.builder()
        .put("path.home", home.toString())
        .put("cluster.name", "test").put("node.name", "node-1")
        .put("discovery.type", "single-node").put("network.host", "127.0.0.1")
        .put("http.port", arguments[1]).put("transport.port", "0")
        .put("transport.type", "netty4").put("http.type", "netty4")
        .put("cluster.routing.allocation.disk.threshold_enabled", false);
    for (int i = 2; i < arguments.length; i++) {
      String[] pair = arguments[i].split("=", 2);
      settings.put(pair[0], pair[1]);
    }
    Node node = new OsNode(settings.build());
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (Exception e) {
        e.printStackTrace();
      }
    }));
    node.start();
    while (System.in.read() >= 0) { } // ends with whoever started it, however that one ends
    System.exit(0);
  }
}
