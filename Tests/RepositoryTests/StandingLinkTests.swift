import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Which places a restore may not write to although it was asked to.
struct StandingLinkTests {
    @Test(
        arguments: [
            (nil, "/ts", true, false), ("/ts", "/ts", false, false), ("/ts", "/ts", true, false), ("/copy", "/ts", true, false),
            ("/copy", "/ts", false, true), (nil, "/ts", false, true),
        ] as [(String?, String, Bool, Bool)])
    func isForeign(_ leadsTo: String?, _ place: String, _ isEmpty: Bool, _ isForeign: Bool) {
        let link = StandingLink(
            name: "pg_tblspc/16400", leadsTo: leadsTo, place: place, isPlaceEmpty: isEmpty, option: "--tablespace-map=ts1")
        #expect(link.isForeign == isForeign)
        let refusal = StandingLink.refusal([link])
        #expect((refusal?.code == .pathNotEmpty) == isForeign)
        if isForeign {
            #expect(refusal?.description.contains("--tablespace-map=ts1=PATH") == true)
            #expect(refusal?.message.contains(leadsTo ?? "has no link") == true)
        }
    }
}
