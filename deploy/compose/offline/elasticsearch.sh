#!/usr/bin/env bash
# What the vendor's image of Elasticsearch does in compose.yaml, with the node that the jars make,
# which knows neither TLS nor passwords: nginx in front knows both. Same files, port and user.
set -euo pipefail
home=/usr/share/elasticsearch
user=elastic
# shellcheck disable=SC2154
password=$(cat "$ELASTIC_PASSWORD_FILE")
heap=$(echo "${ES_JAVA_OPTS:--Xms512m}" | sed -n 's/.*-Xms\([0-9]*[mg]\).*/\1/p')

umask 077
printf '%s:{PLAIN}%s\n' "$user" "$password" >/tmp/users
cat >/tmp/nginx.conf <<END
pid /tmp/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 100m;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  upstream node { server 127.0.0.1:9201; keepalive 16; }
  server {
    listen 9200 ssl;
    ssl_certificate $home/config/certs/tls.crt;
    ssl_certificate_key $home/config/certs/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      auth_basic "nightjar";
      auth_basic_user_file /tmp/users;
      proxy_pass http://node;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
      proxy_buffering off;
      proxy_read_timeout 120s;
    }
  }
}
END
nginx -c /tmp/nginx.conf -g 'daemon off;' &
export ES_HEAP=${heap:-512m} NIGHTJAR_CACHE=/opt/nightjar/cache
exec /opt/nightjar/elasticsearch/elasticsearch.sh run 9201 "$home/data"
