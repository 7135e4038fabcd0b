-- wcbuf for Rumur (Murphi): N lines written through a cacheable and a write-combine alias, handed
-- to a device and back. FIX: clean+invalidate between the two stores. Step for step the model of
-- model.ts and wcbuf.pml; run.mjs sets N and FIX. Leaves out: deadlocks, which Rumur is told.
const
  N: 2;
  FIX: true;

type
  value: 0..3;
  line: 0..N-1;
  tag: enum { Absent, Clean, Dirty };

var
  memory: array [line] of value;
  state: array [line] of tag;
  copy: array [line] of value;
  full: array [line] of boolean;
  bell: boolean;
  done: boolean;
  cpu: 0..5;
  cpuLine: 0..N;
  device: 0..3;
  deviceLine: 0..N;

-- The WC buffer only ever holds 2, so one bit says it all.
procedure drain(l: line);
begin
  if full[l] then
    memory[l] := 2;
    full[l] := false;
  end;
end;

procedure flush(l: line);
begin
  if state[l] = Dirty then
    memory[l] := copy[l];
  end;
  state[l] := Absent;
  copy[l] := 0;
end;

startstate
begin
  for l: line do
    memory[l] := 0;
    state[l] := Absent;
    copy[l] := 0;
    full[l] := false;
  end;
  bell := false;
  done := false;
  cpu := 0;
  cpuLine := 0;
  device := 0;
  deviceLine := 0;
end;

rule "store WB" cpu = 0 & cpuLine < N ==>
begin
  state[cpuLine] := Dirty;
  copy[cpuLine] := 1;
  cpu := FIX ? 1 : 2;
end;

rule "clean+invalidate" cpu = 1 ==>
begin
  flush(cpuLine);
  cpu := 2;
end;

rule "store WC" cpu = 2 ==>
begin
  full[cpuLine] := true;
  cpuLine := cpuLine + 1;
  cpu := 0;
end;

rule "barrier" cpu = 0 & cpuLine = N ==>
begin
  for l: line do
    drain(l);
  end;
  cpuLine := 0;
  cpu := 3;
end;

rule "doorbell" cpu = 3 ==>
begin
  bell := true;
  cpu := 4;
end;

rule "wait" cpu = 4 & done ==>
begin
  cpu := 5;
end;

rule "load WC" cpu = 5 & cpuLine < N ==>
begin
  assert memory[cpuLine] = 3;
  cpuLine := cpuLine + 1;
end;

rule "device starts" device = 0 & bell ==>
begin
  device := 1;
end;

rule "device reads" device = 1 & deviceLine < N ==>
begin
  assert memory[deviceLine] = 2;
  device := 2;
end;

rule "device writes" device = 2 ==>
begin
  memory[deviceLine] := 3;
  deviceLine := deviceLine + 1;
  device := 1;
end;

rule "device done" device = 1 & deviceLine = N ==>
begin
  done := true;
  device := 3;
end;

ruleset l: line do
  rule "evict" state[l] != Absent ==>
  begin
    flush(l);
  end;

  rule "prefetch" state[l] = Absent ==>
  begin
    state[l] := Clean;
    copy[l] := memory[l];
  end;

  rule "drain" full[l] ==>
  begin
    drain(l);
  end;
end;
