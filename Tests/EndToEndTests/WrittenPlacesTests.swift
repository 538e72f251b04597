import EndToEndSupport
import Foundation
import Testing

/// Places in the WAL with eight digits, as servers write them from PostgreSQL 19 on: shown as they are, compared as numbers.
@Suite(.servers)
struct WrittenPlacesTests {
    @Test func eightDigits() throws {
        let bench = try Workbench()
        try run(["tar", "xJf", "\(Checkout.golden)/tiny-pg19-zst/repo.tar.xz", "--no-same-owner", "-C", bench.repository])
        let labels = try bench.labels()
        try #require(labels.count == 2)
        // The backups of that repository were made of a server at rest, and have no places.
        var info = try bench.files.text("backup/demo/backup.info")
        for (label, places) in zip(labels, [("0/01600028", "0/01800000"), ("0/01900028", "0/01A00000")]) {
            info = try Forgery.replace(
                "\n\(label)={", with: "\n\(label)={\"backup-lsn-start\":\"\(places.0)\",\"backup-lsn-stop\":\"\(places.1)\",", info)
        }
        for suffix in ["", ".copy"] {
            try bench.files.write("backup/demo/backup.info\(suffix)", Data(try Forgery.sign(info).utf8))
        }

        let json = try bench.run("--output=json", "info").output
        #expect(json.contains(#""lsn":{"start":"0/01600028","stop":"0/01800000"}"#), "\(json)")
        #expect(json.contains(#""lsn":{"start":"0/01900028","stop":"0/01A00000"}"#), "\(json)")
        let text = try bench.run("--set=\(labels[0])", "info").output
        #expect(text.contains("lsn start/stop: 0/01600028 / 0/01800000\n"), "\(text)")

        // As texts, every one of these would be behind all backups.
        for (target, label) in [("0/17FFFFF", nil), ("0/1800000", labels[0]), ("0/19FFFFF", labels[0]), ("0/1A00000", labels[1])] {
            let plan = try bench.attempt(
                "--type=lsn", "--target=\(target)", "--tablespace-map=16389=\(bench.folder.path("ts"))", "--plan", "restore")
            if let label {
                #expect(plan.output.contains("backup: \(label) ("), "\(target): \(plan)")
            } else {
                #expect(plan.status == 75, "\(plan)")
            }
        }
    }
}
