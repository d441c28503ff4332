-- A role that may read what the collector writes, and nothing else; `owner` is the role that the collector has:
--   psql fleet -v password="$EARWITNESS_GRAFANA_PASSWORD" -v owner=earwitness -f reader.sql
CREATE ROLE grafana LOGIN PASSWORD :'password';
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
GRANT USAGE ON SCHEMA public TO grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO grafana;
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT ON TABLES TO grafana;
