package org.elasticsearch.node; // for the package-private constructors

import java.nio.file.*;
import java.util.*;
import logagent.tests.RootPlugin;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.*;
import org.elasticsearch.transport.netty4.Netty4Plugin;

/** EsNode HOME HTTP_PORT [setting=value ...]: an Elasticsearch on loopback until stdin ends. */
public class EsNode {
  public static void main(String[] arguments) throws Exception {
    LogConfigurator.configureESLogging();
    Path home = Paths.get(arguments[0]).toAbsolutePath();
    Files.createDirectories(home.resolve("config"));
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
    Environment environment = InternalSettingsPreparer.prepareEnvironment(
        settings.build(), Map.of(), home.resolve("config"), () -> "node-1");
    List<Class<? extends Plugin>> plugins = List.of(Netty4Plugin.class, RootPlugin.class);
    Node node = new Node(NodeConstruction.prepareConstruction(
        environment, null, new NodeServiceProvider() {
          @Override PluginsService newPluginService(Environment given, PluginsLoader loader) {
            return new MockPluginsService(given.settings(), given, plugins);
          }
        }, true));
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
