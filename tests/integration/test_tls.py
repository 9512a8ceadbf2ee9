"""Encrypted connections and logins: Apache Kafka with TLS, client certificates and SASL, PostgreSQL with TLS.

The authority and its certificates are made for the session. Kafka's part needs Java and its jars (run/kafka/lib, or
KAFKA_LIB), and is skipped where they are absent."""
import os
import pathlib
import shutil
import subprocess

import confluent_kafka
import pytest

import services
from support import events
from support.world import World

ROOT = pathlib.Path(services.ROOT)
PASSWORD = "open-sesame"
SCRAM_MENDED = 0x02060100  # librdkafka#4895: Kafka 4 refuses SCRAM from older ones, as Debian 12's


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """Signs certificates, with a self-made key of its own."""

    def __init__(self, folder, name):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.key, self.certificate = folder / "ca.key", folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={name}",
                "-keyout", self.key, "-out", self.certificate)

    def sign(self, name, alternatives="IP:127.0.0.1,DNS:localhost"):
        """(certificate, key), for a server of this machine or a client."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternatives}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", 2, "-extfile", extensions, "-out", certificate)
        key.chmod(0o600)
        return certificate, key


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "loyald's test authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "somebody else")


# --- Kafka ---------------------------------------------------------------------------------------------------------

SETTINGS = """
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{control},SSL://127.0.0.1:{ssl},SASL_SSL://127.0.0.1:{sasl}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SSL://127.0.0.1:{ssl},SASL_SSL://127.0.0.1:{sasl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_loyald="{password}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory, authority):
    """Ports of an Apache Kafka: plain (for the test), ssl (asks for our certificate), sasl (asks for a login)."""
    if why := services.Kafka.why_not():
        pytest.skip(f"Apache Kafka cannot be started: {why}")
    folder = tmp_path_factory.mktemp("kafka")
    ports = {name: services.free_port() for name in ("plain", "control", "ssl", "sasl")}
    certificate, key = authority.sign("broker")
    keystore = folder / "keystore.pem"
    keystore.write_text(key.read_text() + certificate.read_text())
    settings = SETTINGS.format(keystore=keystore, truststore=authority.certificate, password=PASSWORD, **ports)
    with services.Kafka(folder, heap="256m", settings=settings, ports=(ports["plain"], ports["control"])) as broker:
        broker.tool("kafka.admin.ConfigCommand", "--alter", "--entity-type", "users", "--entity-name", "loyald",
                    "--add-config", f"SCRAM-SHA-512=[password={PASSWORD}]")
        yield ports


@pytest.fixture(scope="module")
def ways(kafka, authority):
    """Settings by name: how a program of ours gets to that Kafka."""
    certificate, key = authority.sign("worker")
    login = {"kafka_brokers": f"127.0.0.1:{kafka['sasl']}", "kafka_security_protocol": "sasl_ssl",
             "kafka_ssl_ca": authority.certificate, "kafka_sasl_username": "loyald", "kafka_sasl_password": PASSWORD}
    return {
        "certificate": {"kafka_brokers": f"127.0.0.1:{kafka['ssl']}", "kafka_security_protocol": "ssl",
                        "kafka_ssl_ca": authority.certificate, "kafka_ssl_certificate": certificate,
                        "kafka_ssl_key": key},
        "plain": {**login, "kafka_sasl_mechanism": "PLAIN"},
        "scram": {**login, "kafka_sasl_mechanism": "SCRAM-SHA-512"},
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory, postgres, programs, kafka):
    """Its own clients use the plain listener."""
    with World("tls", tmp_path_factory.mktemp("tls") / "world", postgres, programs,
               bootstrap=f"127.0.0.1:{kafka['plain']}", partitions=4) as made:
        yield made


@pytest.mark.parametrize("way", ["certificate", "plain", "scram"])
def test_works_over_tls_with_a_login(world, ways, way):
    if way == "scram" and confluent_kafka.libversion()[1] < SCRAM_MENDED:
        pytest.skip(f"librdkafka {confluent_kafka.libversion()[0]} cannot log in to Kafka 4 with SCRAM")
    assert world.loyalctl("topics", "check", **ways[way]).returncode == 0
    worker = world.start_worker(**ways[way])
    world.publish(*(events.purchase(f"{way}-{number}", 1200000) for number in range(20)))
    world.wait_drained()
    count = world.db.execute("SELECT count(*) FROM balance WHERE member_id LIKE %s AND available + pending > 0",
                             [f"{way}-%"]).fetchone()[0]
    assert count == 20
    worker.stop()
    assert PASSWORD not in worker.log_text(), "a log line holds the password"


def told(world, **settings):
    """What loyalctl and a worker say that cannot get to Kafka; neither ends as if all were well."""
    done = world.loyalctl("topics", "check", check=False, **settings)
    assert done.returncode != 0
    worker = world.start_worker(ready=False, **settings)
    try:
        world.wait_for(lambda: "waiting_for_kafka" in worker.log_text() or worker.process.poll() is not None,
                       "word of Kafka")
        return done.stdout + done.stderr, worker.log_text()
    finally:
        worker.expected_to_live = False
        worker.stop()


def test_a_broker_whose_certificate_another_signed_is_not_trusted(world, ways, stranger):
    for text in told(world, **{**ways["plain"], "kafka_ssl_ca": stranger.certificate}):
        assert "certificate verify failed" in text and "ssl.ca.location" in text, text


@pytest.mark.parametrize("way", ["plain", "scram"])
def test_a_wrong_password_is_told(world, ways, way):
    for text in told(world, **{**ways[way], "kafka_sasl_password": "something else"}):
        assert "Authentication failed" in text and "something else" not in text, text
        is_too_old = way == "scram" and confluent_kafka.libversion()[1] < SCRAM_MENDED
        assert is_too_old == ("before 2.6.1" in text), text


def test_a_listener_that_is_not_encrypted_is_told(world, ways, kafka):
    for text in told(world, **{**ways["plain"], "kafka_brokers": f"127.0.0.1:{kafka['plain']}"}):
        assert "SSL handshake failed" in text, text


# --- PostgreSQL ----------------------------------------------------------------------------------------------------

@pytest.fixture
def encrypted(tmp_path_factory, authority):
    """A PostgreSQL that also speaks TLS."""
    certificate, key = authority.sign("postgres")
    if os.geteuid() == 0:  # then its server runs as another user
        shutil.chown(key, "postgres", "postgres")
    settings = {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key}
    with services.PostgreSQL(tmp_path_factory.mktemp("encrypted") / "postgres", settings=settings) as server:
        yield server


def test_works_with_a_postgresql_that_is_verified(tmp_path, encrypted, programs, authority, stranger):
    with World("tls_postgres", tmp_path / "world", encrypted, programs, partitions=4) as made:
        address = f"host=127.0.0.1 port={encrypted.port} user=loyald password={encrypted.password} dbname={made.id} " \
                  "sslmode=verify-full sslrootcert="
        worker = made.start_worker(postgres=f"{address}{authority.certificate}")
        made.publish(events.purchase("guest", 1200000))
        made.wait_drained()
        seen = made.db.execute("SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity "
                               "USING (pid) WHERE client_addr IS NOT NULL").fetchone()
        assert seen[0] > 0 and seen[0] == seen[1]
        worker.stop()
        assert made.loyalctl("migrate", "status", postgres=f"{address}{authority.certificate}").returncode == 0
        refused = made.loyalctl("migrate", "status", check=False, postgres=f"{address}{stranger.certificate}")
        assert refused.returncode != 0 and "certificate verify failed" in refused.stderr
        assert encrypted.password not in refused.stderr


# --- Redis ---------------------------------------------------------------------------------------------------------

class EncryptedRedis(services.Redis):
    """On its socket for the test, and with TLS on a port."""

    def __init__(self, folder, authority):
        super().__init__(folder)
        self.certificate, self.key = authority.sign("redis")
        self.tls_port = services.free_port()

    def spawn(self, argv, *others, **options):
        return super().spawn([*argv, "--tls-port", str(self.tls_port), "--tls-cert-file", str(self.certificate),
                              "--tls-key-file", str(self.key), "--tls-auth-clients", "no"], *others, **options)


def test_redis_with_tls_is_used_or_clearly_refused(tmp_path, monkeypatch, postgres, programs, authority):
    """hiredis has TLS in Debian 13, not in Debian 12."""
    with World("tls_redis", tmp_path / "world", postgres, programs, partitions=4, redis=False) as made, \
            EncryptedRedis(tmp_path / "redis", authority) as redis:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        worker = made.start_worker(ready=False, redis=f"rediss://127.0.0.1:{redis.tls_port}/0")
        made.wait_for(lambda: worker.get("/readyz")[0] == 200 or "rediss:// needs TLS" in worker.log_text(), "a word")
        if "rediss:// needs TLS" in worker.log_text():
            worker.expected_to_live = False
            assert worker.process.wait(30) > 0
            return
        made.publish(events.purchase("guest", 1200000))
        made.wait_drained()
        made.wait_for(lambda: redis.command("DBSIZE") != "0", "the member in Redis")
