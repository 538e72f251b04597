// Options that tell where the cluster is and how its server is reached (cli.md section 1.3, PostgreSQL).

import BackstopCore

enum PostgresOptions {
    static let path = OptionKey<String?>(
        .stanza("pgN-path", .path, CommandSets.cluster, "data directory of the cluster")
            .required(except: ["archive-push", "manifest", "serve"]).oldNames("db-path", "dbN-path")
            .details("The same as the server's data_directory."))
    static let port = OptionKey<Int>(
        .stanza("pgN-port", .portOrNone, default: "5432", CommandSets.databaseUser, "port of the server")
            .when("pg-path").oldNames("db-port", "dbN-port").details("Names the socket as well."))
    static let socketPath = OptionKey<String?>(
        .stanza("pgN-socket-path", .string, CommandSets.databaseUser, "folder of the server's socket")
            .when("pg-path").oldNames("db-socket-path", "dbN-socket-path").details("The client library's own when unset."))
    static let user = OptionKey<String?>(
        .stanza("pgN-user", .string, CommandSets.databaseUser, "database role to connect as")
            .when("pg-path").details("The role named like the operating system's user when unset."))
    static let database = OptionKey<String>(
        .stanza("pgN-database", .string, default: "postgres", CommandSets.databaseUser, "database to connect to")
            .when("pg-path").details("Any will do in which functions of the system can be called."))
    static let versionForce = OptionKey<String?>(
        .stanza("pg-version-force", .string, CommandSets.cluster.union(["verify"]), "version of PostgreSQL to assume")
            .details("For forks that number their versions differently."))
    static let local = OptionKey<Bool>(
        .stanza("pgN-local", .boolean, default: "n", CommandSets.cluster, "take the cluster to be on this host")
            .hidden().details("Whatever pg-host says."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "PostgreSQL",
        [path.spec, port.spec, socketPath.spec, user.spec, database.spec, versionForce.spec, local.spec])
}
