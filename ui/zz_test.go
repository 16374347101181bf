package ui
import "testing"
func TestZZ(t *testing.T){
 x := onTerminal(t,120,40,200)
 x.selects("(200)"); x.sees("Q quit"); x.settles()
 for i:=0;i<6;i++{ x.mark(); x.press("j"); x.selects("("+itoa(199-i)+")"); x.settles(); t.Logf("%q",x.written())}
 x.mark(); x.session.flag(150, `\Flagged`); x.sees("flagged by another client"); x.settles(); t.Logf("%q",x.written())
}
