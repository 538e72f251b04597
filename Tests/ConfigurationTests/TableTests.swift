// The option table against the peer's, whose facts are listed here once more so that a slip in the table shows.

@testable import BackstopCommands
@testable import BackstopCore
import Testing

@Suite struct TableTests {
    @Test func everyOptionOfThePeerIsThere() throws {
        for line in peersOptions {
            let facts = line.split(separator: "|", omittingEmptySubsequences: false).map(\.trimmed)
            guard let option = table.options.first(where: { $0.pattern == facts[0] }) else {
                Issue.record("\(facts[0]) is missing")
                continue
            }
            #expect(kind(option) == facts[1], "\(facts[0])")
            #expect(place(option) == facts[2], "\(facts[0])")
            #expect(option.isSecret == facts[4].contains("SECRET"), "\(facts[0])")
            // Scripts call 'version --config=…', which the peer refuses; --verbose tells what the program is.
            // A plan of a restore has a form too.
            let more =
                option.name.hasPrefix("config") || option.name == "verbose"
                ? ourCommands.union(["version"]) : option.name == "output" ? ourCommands.union(["restore"]) : ourCommands
            #expect(option.commands.subtracting(more) == commands(facts[5]).subtracting(more), "\(facts[0])")
            if facts[4].contains("REQ") {
                #expect(!option.requiredBy.isEmpty, "\(facts[0])")
            } else if option.name != "annotation", option.name != "set" {
                #expect(option.requiredBy.isEmpty, "\(facts[0])")
            }
            // Defaults in words, such as those by command, are tested where they apply.
            if !facts[3].contains(" "), !facts[3].contains(":"), !["auto", "argv[0]"].contains(facts[3]) {
                #expect(option.defaultValue == (facts[3] == "–" ? nil : facts[3]), "\(facts[0])")
            }
        }
        let ours: Set = [
            "access", "archive-get-failure", "config-strict", "plan", "progress", "plugins", "remove-uploads", "repoN-s3-object-lock",
            "repoN-s3-object-lock-days",
            "repoN-storage-http2",
        ]
        #expect(Set(table.options.map(\.pattern)).subtracting(ours).count == peersOptions.count)
    }

    private let ourCommands: Set = ["driver", "serve"]

    @Test func theTwentyTwoCommandsAndOurs() {
        #expect(table.commands.count == 22 + ourCommands.count)
        let supported = table.commands.filter(\.isSupported).map(\.name).sorted()
        #expect(
            supported == [
                "archive-get", "archive-push", "backup", "check", "driver", "help", "info", "restore", "serve", "stanza-create", "start",
                "stop",
                "version",
            ])
        #expect(table.commands.filter(\.isHidden).map(\.name).sorted() == ["manifest", "repo-rm"])
        for command in table.commands { #expect(!command.summary.isEmpty && !command.details.isEmpty, "\(command.name)") }
    }

    /// A slip here would only show when somebody uses the option.
    @Test func theTableIsConsistent() throws {
        for option in table.options {
            #expect(!option.summary.isEmpty && !option.details.isEmpty && !option.summary.hasSuffix("."), "\(option.name)")
            #expect(option.commands.isSubset(of: Set(table.commands.map(\.name))), "\(option.name)")
            #expect(option.requiredBy.isSubset(of: option.commands), "\(option.name)")
            #expect(option.pattern.utf8.count <= OptionTable.longestName)
            let command = option.commands.sorted().first ?? ""
            for dependency in [option.dependency].compactMap({ $0 }) + option.dependencyByCommand.values {
                let other = try #require(table.option(dependency.option), "\(option.name)")
                #expect(other.group == nil || other.group == option.group, "\(option.name)")
                let words = other.isBoolean ? ["y", "n"] : other.commands.flatMap { other.choices(for: $0) }
                #expect(Set(dependency.values).isSubset(of: words), "\(option.name)")
            }
            for (value, text) in option.defaultByDependency {
                let parser = OptionValueParser(option: option, command: command, shown: option.name, range: option.rangeByDependency[value])
                _ = try parser.parse([text])
            }
            for command in option.commands {
                guard let text = option.defaultByCommand[command] ?? option.defaultValue else { continue }
                _ = try OptionValueParser(option: option, command: command, shown: option.name).parse([text])
            }
        }
        #expect(Set(table.options.map(\.name)).count == table.options.count)
    }

    private func kind(_ option: OptionSpec) -> String {
        switch option.kind {
        case .string: "string"
        case .path: "path"
        case .boolean: "bool"
        case .integer: "int"
        case .size: "size"
        case .time: "time"
        case .choice: "enum"
        case .list: "list"
        case .map: "map"
        }
    }

    private func place(_ option: OptionSpec) -> String {
        switch option.place {
        case .commandLine: "L"
        case .global: "G"
        case .stanza: "S"
        }
    }

    /// The notation of the list below.
    private func commands(_ text: String) -> Set<String> {
        let all = Set(table.commands.map(\.name))
        let working = all.subtracting(["help", "version"])
        let connected = working.subtracting(["start", "stop"])
        switch text {
        case "C20": return working
        case "C18": return connected
        case "C17": return connected.subtracting(["server-ping"])
        case "C16": return connected.subtracting(["server-ping", "server"])
        case "(sub-processes)": return []
        default: break
        }
        let short = [
            "a-get": "archive-get", "a-push": "archive-push", "s-create": "stanza-create", "s-delete": "stanza-delete",
            "s-upgrade": "stanza-upgrade",
        ]
        let except = text.hasPrefix("all but ")
        let names = text.dropFirst(except ? 8 : 0).split(separator: ",").map { short[$0.trimmed] ?? $0.trimmed }
        return except ? all.subtracting(names) : Set(names)
    }
}

/// name | kind | place: command Line, Global, Stanza | default | secret, required | commands
let peersOptions = """
    stanza | string | L | – | REQ | all but help, server, server-ping, version
    config | string | L | /etc/pgbackstop/pgbackstop.conf |  | C20
    config-path | path | L | /etc/pgbackstop |  | C20
    config-include-path | path | L | /etc/pgbackstop/conf.d |  | C20
    type | enum | L | backup incr; restore default; info – |  | backup, info, restore
    set | string | L | latest (restore, manifest); – |  | annotate, expire, info, manifest, restore, verify
    repo | int | L | – |  | all but a-push, check, help, server, server-ping, s-create, s-upgrade, start, stop, version
    force | bool | L | n |  | backup, restore, s-create, s-delete, stop
    online | bool | L | y |  | backup, s-create, s-upgrade
    output | enum | L | text (verify none) |  | info, manifest, repo-ls, verify, version
    allow-root | bool | G | n (restore y) |  | C20
    buffer-size | size | G | 1MiB |  | C18
    cmd | string | G | argv[0] |  | a-get, a-push, backup, restore, verify
    cmd-ssh | string | G | ssh |  | C16
    compress-level-network | int | G | 1 |  | C16
    db-timeout | time | G | 30m |  | backup, check, s-create, s-delete, s-upgrade
    io-timeout | time | G | 1m |  | C18
    protocol-timeout | time | G | 31m |  | C17
    job-retry | int | G | 2 (a-get, a-push 1) |  | a-get, a-push, backup, restore, verify
    job-retry-interval | time | G | 15s |  | a-get, a-push, backup, restore, verify
    lock-path | path | G | /tmp/pgbackrest |  | all but check, help, manifest, repo-get, repo-ls, repo-rm, server, server-ping, verify, version
    neutral-umask | bool | G | y |  | all but help, info, manifest, server, server-ping, version
    priority | int | G | – |  | C20
    process-max | int | G | 1 |  | a-get, a-push, backup, restore, verify
    spool-path | path | G | /var/spool/pgbackstop |  | a-get, a-push, restore
    sck-keep-alive | bool | G | y |  | C18
    tcp-keep-alive-count | int | G | – |  | C18
    tcp-keep-alive-idle | int | G | – |  | C18
    tcp-keep-alive-interval | int | G | – |  | C18
    tls-cipher-12 | string | G | – |  | C18
    tls-cipher-13 | string | G | – |  | C18
    help | bool | L | n |  | help
    version | bool | L | n |  | help
    log-level-console | enum | G | warn |  | C20
    log-level-file | enum | G | info |  | C20
    log-level-stderr | enum | G | off |  | C20
    log-path | path | G | /var/log/pgbackstop |  | C20
    log-subprocess | bool | G | n |  | C16
    log-timestamp | bool | G | y |  | C20
    pgN-path | path | S | – | REQ | a-get, a-push, backup, check, manifest, restore, s-create, s-delete, s-upgrade
    pgN-port | int | S | 5432 |  | backup, check, s-create, s-delete, s-upgrade
    pgN-socket-path | string | S | – |  | backup, check, s-create, s-delete, s-upgrade
    pgN-user | string | S | – |  | backup, check, s-create, s-delete, s-upgrade
    pgN-database | string | S | postgres |  | backup, check, s-create, s-delete, s-upgrade
    pg-version-force | string | S | – |  | a-get, a-push, backup, check, manifest, restore, s-create, s-delete, s-upgrade, verify
    pgN-host | string | S | – |  | a-get, a-push, backup, check, manifest, restore, s-create, s-delete, s-upgrade
    pgN-host-type | enum | G | ssh |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-user | string | S | postgres |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-port | int | S | tls:8432 |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-cmd | string | S | own binary |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-config | path | S | /etc/pgbackstop/pgbackstop.conf |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-config-path | path | S | /etc/pgbackstop |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-config-include-path | path | S | /etc/pgbackstop/conf.d |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-cert-file | string | G | – | REQ | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-key-file | string | G | – | REQ | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-ca-file | string | G | – |  | backup, check, manifest, s-create, s-delete, s-upgrade
    pgN-host-ca-path | string | G | – |  | backup, check, manifest, s-create, s-delete, s-upgrade
    archive-async | bool | G | n |  | a-get, a-push
    archive-timeout | time | G | 1m |  | a-get, a-push, backup, check
    archive-check | bool | G | y |  | a-push, backup, check
    archive-mode-check | bool | G | y |  | a-push, backup, check
    archive-copy | bool | G | n |  | backup
    archive-header-check | bool | G | y |  | a-push
    archive-push-queue-max | size | G | – |  | a-push
    archive-push-batch-size | size | G | 16GiB |  | a-push
    archive-get-queue-max | size | G | 128MiB |  | a-get
    archive-missing-retry | bool | G | y |  | a-get
    compress-type | enum | G | gz |  | a-push, backup
    compress-level | int | G | bz2:9, gz:6, lz4:1, zst:3 |  | a-push, backup
    compress | bool | G | y |  | a-push, backup
    annotation | map | G | – |  | annotate, backup
    backup-standby | enum | G | n |  | backup, check
    checksum-page | bool | G | auto |  | backup
    checksum-page-error | bool | G | backup n; expire y; restore y |  | backup, expire, restore
    page-header-check | bool | G | y |  | backup
    delta | bool | G | n |  | backup, restore
    exclude | list | G | – |  | backup
    expire-auto | bool | G | y |  | backup
    manifest-save-threshold | size | G | 1GiB |  | backup
    resume | bool | G | y |  | backup
    start-fast | bool | G | n |  | backup
    stop-auto | bool | G | n |  | backup
    repoN-type | enum | G | posix |  | C16
    repoN-path | path | G | /var/lib/pgbackstop |  | C16
    repoN-bundle | bool | G | n |  | backup
    repoN-bundle-size | size | G | 20MiB |  | backup
    repoN-bundle-limit | size | G | 2MiB |  | backup
    repoN-block | bool | G | n |  | backup
    repoN-hardlink | bool | G | n |  | backup
    repoN-symlink | bool | G | y |  | backup, expire
    repo-target-time | string | G | – |  | a-get, info, manifest, repo-get, repo-ls, restore, verify
    repoN-cipher-type | enum | G | none |  | C16
    repoN-cipher-pass | string | G | – | SECRET REQ | C16
    repoN-cipher-rotate | time | G | 90d |  | backup, expire
    repoN-format | enum | L | 5 |  | s-create, s-upgrade
    repoN-retention-full | int | G | – |  | backup, expire
    repoN-retention-full-type | enum | G | count |  | backup, expire
    repoN-retention-diff | int | G | – |  | backup, expire
    repoN-retention-archive | int | G | – |  | backup, expire
    repoN-retention-archive-type | enum | G | full |  | backup, expire
    repoN-retention-history | int | G | – |  | backup, expire
    dry-run | bool | L | n |  | expire
    oldest | bool | L | n |  | expire
    archive-expire-before | string | L | – |  | expire
    archive-mode | enum | G | preserve |  | restore
    db-include | list | G | – |  | restore
    db-exclude | list | G | – |  | restore
    link-all | bool | G | n |  | restore
    link-map | map | G | – |  | restore
    tablespace-map | map | G | – |  | restore
    tablespace-map-all | string | G | – |  | restore
    recovery-option | map | G | – |  | restore
    target | string | L | – | REQ | restore
    target-action | enum | L | pause |  | restore
    target-exclusive | bool | L | n |  | restore
    target-timeline | string | L | – |  | restore
    repoN-host | string | G | – |  | C16
    repoN-host-type | enum | G | ssh |  | C16
    repoN-host-user | string | G | pgbackrest |  | C16
    repoN-host-port | int | G | tls:8432 |  | C16
    repoN-host-cmd | string | G | own binary |  | C16
    repoN-host-config | string | G | /etc/pgbackstop/pgbackstop.conf |  | C16
    repoN-host-config-path | path | G | /etc/pgbackstop |  | C16
    repoN-host-config-include-path | path | G | /etc/pgbackstop/conf.d |  | C16
    repoN-host-cert-file | string | G | – | REQ | C16
    repoN-host-key-file | string | G | – | REQ | C16
    repoN-host-ca-file | string | G | – |  | C16
    repoN-host-ca-path | string | G | – |  | C16
    repoN-storage-host | string | G | – |  | C16
    repoN-storage-port | int | G | 443 |  | C16
    repoN-storage-verify-tls | bool | G | y |  | C16
    repoN-storage-ca-file | string | G | – |  | C16
    repoN-storage-ca-path | path | G | – |  | C16
    repoN-storage-tag | map | G | – |  | C16
    repoN-storage-upload-chunk-size | size | G | azure:4MiB, gcs:4MiB, s3:5MiB |  | C16
    repoN-storage-prefetch | int | G | 3 |  | C16
    repoN-storage-read-over | size | G | 64KiB |  | C16
    repoN-s3-bucket | string | G | – | REQ | C16
    repoN-s3-endpoint | string | G | – | REQ | C16
    repoN-s3-region | string | G | – | REQ | C16
    repoN-s3-key-type | enum | G | shared |  | C16
    repoN-s3-key | string | G | – | SECRET REQ | C16
    repoN-s3-key-secret | string | G | – | SECRET REQ | C16
    repoN-s3-token | string | G | – | SECRET | C16
    repoN-s3-role | string | G | – |  | C16
    repoN-s3-process-cmd | list | G | – | REQ | C16
    repoN-s3-sts-host | string | G | sts.amazonaws.com |  | C16
    repoN-s3-uri-style | enum | G | host |  | C16
    repoN-s3-kms-key-id | string | G | – |  | C16
    repoN-s3-sse-customer-key | string | G | – | SECRET | C16
    repoN-s3-requester-pays | bool | G | n |  | C16
    repoN-s3-service | string | G | s3 |  | C16
    repoN-azure-account | string | G | – | SECRET REQ | C16
    repoN-azure-container | string | G | – | REQ | C16
    repoN-azure-key | string | G | – | SECRET | C16
    repoN-azure-key-type | enum | G | shared |  | C16
    repoN-azure-endpoint | string | G | blob.core.windows.net | SECRET | C16
    repoN-azure-uri-style | enum | G | host |  | C16
    repoN-gcs-bucket | string | G | – | REQ | C16
    repoN-gcs-key | string | G | – | SECRET REQ | C16
    repoN-gcs-key-type | enum | G | service |  | C16
    repoN-gcs-endpoint | string | G | storage.googleapis.com |  | C16
    repoN-gcs-user-project | string | G | – |  | C16
    repoN-sftp-host | string | G | – | REQ | C16
    repoN-sftp-host-port | int | G | 22 |  | C16
    repoN-sftp-host-user | string | G | – | REQ | C16
    repoN-sftp-private-key-file | string | G | – | REQ | C16
    repoN-sftp-private-key-passphrase | string | G | – | SECRET | C16
    repoN-sftp-public-key-file | string | G | – |  | C16
    repoN-sftp-host-key-check-type | enum | G | strict |  | C16
    repoN-sftp-host-key-hash-type | enum | G | – | REQ | C16
    repoN-sftp-host-fingerprint | string | G | – |  | C16
    repoN-sftp-known-host | list | G | – |  | C16
    tls-server-address | string | G | localhost |  | server, server-ping
    tls-server-port | int | G | 8432 |  | server, server-ping
    tls-server-auth | map | G | – | REQ | server
    tls-server-ca-file | path | G | – | REQ | server
    tls-server-cert-file | path | G | – | REQ | server
    tls-server-key-file | path | G | – | REQ | server
    detail-level | enum | L | full |  | info
    filter | string | L | – |  | manifest, repo-ls
    recurse | bool | L | n |  | repo-ls, repo-rm
    sort | enum | L | asc |  | repo-ls
    ignore-missing | bool | L | n |  | repo-get
    raw | bool | L | n |  | repo-get
    reference | string | L | – |  | manifest
    pg | int | L | – |  | manifest
    verbose | bool | L | n |  | verify
    beta | bool | G | n |  | C20
    exec-id | string | L | – |  | C20
    process | int | L | – |  | (sub-processes)
    lock | list | L | – |  | (sub-processes)
    remote-type | enum | L | – |  | (sub-processes)
    report | bool | L | n |  | check
    pgN-local | bool | S | n |  | a-get, a-push, backup, check, manifest, restore, s-create, s-delete, s-upgrade
    repoN-local | bool | G | n |  | C16
    sck-block | bool | G | n |  | C18
    repoN-block-size-map | map | G | – |  | backup
    repoN-block-age-map | map | G | – |  | backup
    repoN-block-checksum-size-map | map | G | – |  | backup
    repoN-block-size-super | size | G | 256KiB |  | backup
    repoN-block-size-super-full | size | G | 1MiB |  | backup
    """.split(separator: "\n").map(String.init)
