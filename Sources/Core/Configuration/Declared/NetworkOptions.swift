// Options of connections to databases, hosts and stores (cli.md section 1.3, General).

/// How long others may take to answer, and how connections to them are kept and encrypted.
public enum NetworkOptions {
    public static let dbTimeout = OptionKey<Duration>(
        .global("db-timeout", .time(100...7 * day), default: "30m", CommandSets.databaseUser, "time that the database has to answer")
            .details("Includes the begin and the end of a backup, which may wait for a checkpoint."))
    public static let ioTimeout = OptionKey<Duration>(
        .global("io-timeout", .time(100...hour), default: "1m", CommandSets.connected, "time to wait for data")
            .details("Applies to each read from or write to another host or process."))
    public static let protocolTimeout = OptionKey<Duration>(
        .global("protocol-timeout", .time(100...7 * day), default: "31m", CommandSets.speaking, "time that another process has to answer")
            .details("Has to be longer than db-timeout, because the other process may be waiting for the database."))
    public static let sckKeepAlive = OptionKey<Bool>(
        .global("sck-keep-alive", .boolean, default: "y", CommandSets.connected, "keep idle connections alive")
            .details("Firewalls forget connections on which nothing happens."))
    public static let tcpKeepAliveCount = OptionKey<Int?>(
        .global("tcp-keep-alive-count", .integer(1...32), CommandSets.connected, "probes before a connection is given up")
            .when("sck-keep-alive", "y").details("The system's own when unset."))
    public static let tcpKeepAliveIdle = OptionKey<Int?>(
        .global("tcp-keep-alive-idle", .integer(1...3600), CommandSets.connected, "seconds without traffic before the first probe")
            .when("sck-keep-alive", "y").details("The system's own when unset."))
    public static let tcpKeepAliveInterval = OptionKey<Int?>(
        .global("tcp-keep-alive-interval", .integer(1...900), CommandSets.connected, "seconds between probes")
            .when("sck-keep-alive", "y").details("The system's own when unset."))
    public static let tlsCipher12 = OptionKey<String?>(
        .global("tls-cipher-12", .string, CommandSets.connected, "ciphers for TLS 1.2")
            .details("For object stores: a list as OpenSSL writes it; the library's own when unset."))
    public static let tlsCipher13 = OptionKey<String?>(
        .global("tls-cipher-13", .string, CommandSets.connected, "cipher suites for TLS 1.3")
            .details("For object stores: a list as OpenSSL writes it; the library's own when unset."))

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] = OptionSpec.section(
        "General",
        [
            dbTimeout.spec, ioTimeout.spec, protocolTimeout.spec, sckKeepAlive.spec, tcpKeepAliveCount.spec, tcpKeepAliveIdle.spec,
            tcpKeepAliveInterval.spec, tlsCipher12.spec, tlsCipher13.spec,
        ])
}
