package logagent.tests;

import java.util.*;
import java.util.function.*;
import org.elasticsearch.Build;
import org.elasticsearch.action.admin.cluster.state.*;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.*;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.plugins.*;
import org.elasticsearch.rest.*;
import org.elasticsearch.rest.action.RestBuilderListener;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * Answers GET / and HEAD /, whose module is not published with the rest of the server. Version and
 * build are the server's own; the caller needs the privilege `monitor`, as with the real handler.
 */
public class RootPlugin extends Plugin implements ActionPlugin {
  private static final TimeValue WAIT = TimeValue.timeValueSeconds(10);

  @Override
  public Collection<RestHandler> getRestHandlers(
      Settings settings, NamedWriteableRegistry named, RestController controller,
      ClusterSettings clusterSettings, IndexScopedSettings indexSettings, SettingsFilter filter,
      IndexNameExpressionResolver resolver, Supplier<DiscoveryNodes> nodes,
      Predicate<NodeFeature> features) {
    return List.of(new Root(settings.get("node.name")));
  }

  private static final class Root extends BaseRestHandler {
    private final String node;

    Root(String node) { this.node = node; }

    @Override public String getName() { return "root"; }

    @Override public List<Route> routes() {
      return List.of(
          new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
      ClusterStateRequest state = new ClusterStateRequest(WAIT).clear().metadata(true);
      return channel -> client.admin().cluster().state(state, new RestBuilderListener<>(channel) {
        @Override
        public RestResponse buildResponse(ClusterStateResponse response, XContentBuilder out)
            throws Exception {
          Build build = Build.current();
          out.startObject()
              .field("name", node)
              .field("cluster_name", response.getClusterName().value())
              .field("cluster_uuid", response.getState().metadata().clusterUUID());
          out.startObject("version")
              .field("number", build.qualifiedVersion())
              .field("build_flavor", build.flavor())
              .field("build_type", build.type().displayName())
              .field("build_hash", build.hash())
              .field("build_date", build.date())
              .field("build_snapshot", build.isSnapshot())
              .field("lucene_version", IndexVersion.current().luceneVersion().toString())
              .field("minimum_wire_compatibility_version", build.minWireCompatVersion())
              .field("minimum_index_compatibility_version", build.minIndexCompatVersion())
              .endObject();
          out.field("tagline", "You Know, for Search").endObject();
          return new RestResponse(RestStatus.OK, out);
        }
      });
    }
  }
}
