// SPDX-License-Identifier: Apache-2.0
// OpenSearch in one process, on loopback: Os HOME PORT, where HOME has a directory config.
import java.util.List;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
public class Os extends Node {
    Os(Environment e) { super(e, List.of(org.opensearch.transport.Netty4Plugin.class), false); }
    public static void main(String[] a) throws Exception {
        Settings s = Settings.builder().put("path.home", a[0]).put("discovery.type", "single-node").put("http.type", "netty4").put("transport.type", "netty4")
            .put("http.host", "127.0.0.1").put("transport.host", "127.0.0.1").put("http.port", a[1]).put("cluster.routing.allocation.disk.threshold_enabled", false).build();
        new Os(new Environment(s, java.nio.file.Path.of(a[0], "config"))).start();
        Thread.currentThread().join();
    }
}
