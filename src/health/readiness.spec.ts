import { Readiness } from './readiness.js';

describe('Readiness', () => {
  it('is not ready before start-up is done', () => {
    const readiness = new Readiness();
    expect(readiness.reasons()).toEqual(['starting']);
    readiness.setReady();
    expect(readiness.reasons()).toEqual([]);
  });

  it('is never ready again once it drains', () => {
    const readiness = new Readiness();
    readiness.setReady();
    readiness.startDraining();
    readiness.setReady();
    expect(readiness.reasons()).toEqual(['draining']);
  });

  it('asks its checks anew each time and takes a throw for a no', () => {
    const readiness = new Readiness();
    readiness.setReady();
    let up = false;
    readiness.addCheck('redis', () => up);
    readiness.addCheck('broken', () => {
      throw new Error('of no interest to a probe');
    });
    expect(readiness.reasons()).toEqual(['redis', 'broken']);
    up = true;
    expect(readiness.reasons()).toEqual(['broken']);
  });
});
