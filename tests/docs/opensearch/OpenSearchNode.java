import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

/** A real OpenSearch node from Maven jars. Args: key=value settings; plugin=CLASS adds a plugin. */
public class OpenSearchNode extends Node {
    OpenSearchNode(Environment environment, List<Class<? extends Plugin>> plugins) {
        super(environment, plugins, true);
    }

    public static void main(String[] args) throws Exception {
        Settings.Builder settings = Settings.builder();
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        for (String arg : args) {
            int end = arg.indexOf('=');
            String key = arg.substring(0, end);
            String value = arg.substring(end + 1);
            if (key.equals("plugin")) {
                plugins.add(Class.forName(value).asSubclass(Plugin.class));
            } else {
                settings.put(key, value);
            }
        }
        Path config = Paths.get(settings.get("path.home")).resolve("config");
        Files.createDirectories(config);
        LogConfigurator.configureWithoutConfig(Settings.builder().put("logger.level", "INFO").build());
        OpenSearchNode node = new OpenSearchNode(InternalSettingsPreparer.prepareEnvironment(
                settings.build(), Collections.emptyMap(), config, () -> "node"), plugins);
        node.start();
        new CountDownLatch(1).await();
    }
}
