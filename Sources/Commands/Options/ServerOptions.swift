// Options of the server for other hosts (cli.md section 1.3, TLS server).

import BackstopCore

enum ServerOptions {
    static let address = OptionKey<String>(
        .global("tls-server-address", .string, default: "localhost", CommandSets.serverAddress, "address to listen on")
            .details("* is all of them.").unsupported())
    static let port = OptionKey<Int>(
        .global("tls-server-port", .port, default: "8432", CommandSets.serverAddress, "port to listen on").details(
            "For hosts of both kinds."
        )
        .unsupported())
    static let auth = OptionKey<[String: String]>(
        .global("tls-server-auth", .map, CommandSets.server, "who may do what").required()
            .details("NAME=STANZAS, repeatable: the name in a certificate and the stanzas it is for, * for all.").unsupported())
    static let caFile = OptionKey<String?>(
        .global("tls-server-ca-file", .path, CommandSets.server, "authority that signs the clients").required()
            .details("In PEM form.").unsupported())
    static let certFile = OptionKey<String?>(
        .global("tls-server-cert-file", .path, CommandSets.server, "certificate of the server").required()
            .details("In PEM form.").unsupported())
    static let keyFile = OptionKey<String?>(
        .global("tls-server-key-file", .path, CommandSets.server, "key of that certificate").required()
            .details("In PEM form, readable for nobody else.").unsupported())

    static let specs: [OptionSpec] = OptionSpec.section(
        "TLS server",
        [address.spec, port.spec, auth.spec, caFile.spec, certFile.spec, keyFile.spec])
}
