-- A role that may read what the collector writes, and nothing else. Run it in the fleet's database as its owner:
--   psql postgresql://earwitness@db/fleet -v password="$EARWITNESS_GRAFANA_PASSWORD" -f reader.sql
CREATE ROLE grafana LOGIN PASSWORD :'password';
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
GRANT USAGE ON SCHEMA public TO grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO grafana;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO grafana;
